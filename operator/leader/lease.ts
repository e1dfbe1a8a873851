import { microTime } from '../../lib/kubernetes.ts';
import { LEASE } from '../kube/kinds.ts';
import type { LiveObject, Manifest } from '../kube/object.ts';

/** What a Lease says: who leads, and for how long after each renewal. */
export interface LeaseSpec {
  /** Empty when the last leader gave it up. */
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  /** How many times the holder changed. */
  leaseTransitions?: number;
}

/** Who asks for a Lease, and how long it shall last after each renewal. */
export interface Candidate {
  identity: string;
  /** Whole seconds, at least 1: a Lease knows no less. */
  leaseSeconds: number;
}

export function leaseSpec(lease: Manifest): LeaseSpec {
  return (lease.spec ?? {}) as LeaseSpec;
}

/** The first Lease of its name. */
export function newLease(namespace: string, name: string, candidate: Candidate, now: Date): Manifest {
  const { apiVersion, kind } = LEASE;
  const spec = acquired({}, candidate, now);
  return { apiVersion, kind, metadata: { namespace, name }, spec: { ...spec, leaseTransitions: 0 } };
}

/**
 * The Lease in the candidate's hands. Times given up by others are overwritten, never compared: clocks
 * differ.
 */
export function takenOver(lease: LiveObject, candidate: Candidate, now: Date): LiveObject {
  return { ...lease, spec: acquired(leaseSpec(lease), candidate, now) };
}

export function renewed(lease: LiveObject, now: Date): LiveObject {
  return { ...lease, spec: { ...leaseSpec(lease), renewTime: microTime(now) } };
}

/** The Lease in nobody's hands, so that a standby need not wait for it to run out. */
export function givenUp(lease: LiveObject, now: Date): LiveObject {
  const spec: LeaseSpec = {
    ...leaseSpec(lease),
    holderIdentity: '',
    leaseDurationSeconds: 1,
    renewTime: microTime(now),
  };
  return { ...lease, spec };
}

function acquired({ leaseTransitions = 0 }: LeaseSpec, candidate: Candidate, now: Date): LeaseSpec {
  return {
    holderIdentity: candidate.identity,
    leaseDurationSeconds: candidate.leaseSeconds,
    acquireTime: microTime(now),
    renewTime: microTime(now),
    leaseTransitions: leaseTransitions + 1,
  };
}
