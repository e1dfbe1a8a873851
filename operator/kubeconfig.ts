import { KubeConfig } from '@kubernetes/client-node';

/** No cluster to work in; the message says what to do. */
export class KubeConfigError extends Error {
  override name = 'KubeConfigError';
}

/**
 * The context that the library makes up when it finds nothing: localhost:8080, where Kubernetes listened long
 * ago.
 */
const MADE_UP_CONTEXT = 'loaded-context';
const REMEDY =
  'Set KUBECONFIG to a readable kubeconfig file, have one at ~/.kube/config, or run in a pod with a service account.';

/**
 * Finds the cluster as kubectl does: KUBECONFIG, ~/.kube/config, or the service account of the pod this runs
 * in.
 *
 * @throws KubeConfigError when there is none, or it cannot be read
 */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    // A YAML error continues with a picture of the place.
    const [reason] = (error as Error).message.split('\n');
    throw new KubeConfigError(`Cannot read the kubeconfig: ${reason}. ${REMEDY}`);
  }
  if (config.currentContext === MADE_UP_CONTEXT)
    throw new KubeConfigError(`There is no kubeconfig. ${REMEDY}`);
  if (!URL.canParse(config.getCurrentCluster()?.server ?? ''))
    throw new KubeConfigError(
      'The kubeconfig names no cluster. Choose one of its contexts with: kubectl config use-context NAME',
    );
  return config;
}
