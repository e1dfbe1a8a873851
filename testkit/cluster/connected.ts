import { inject } from 'vitest';
import { ControlPlaneAccess } from './access.ts';

/** The control plane that all test files share. Each works in namespaces of its own, and none stops it. */
export function connectedControlPlane(): ControlPlaneAccess {
  return new ControlPlaneAccess(inject('controlPlane'));
}
