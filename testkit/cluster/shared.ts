import type { TestProject } from 'vitest/node';
import type { Address } from './access.ts';
import { startControlPlane } from './control-plane.ts';
import { availableCrds } from './crds.ts';

declare module 'vitest' {
  interface ProvidedContext {
    controlPlane: Address;
  }
}

/**
 * Vitest's globalSetup of the tier `operator`: builds what is not built yet and starts one control plane,
 * with everything, for all its test files, which find it by connectedControlPlane(). Returns what stops it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane({
    controllerManager: true,
    audit: true,
    crds: availableCrds(),
  });
  project.provide('controlPlane', controlPlane.address);
  return () => controlPlane.stop();
}
