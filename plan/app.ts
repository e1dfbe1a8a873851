import type { GameAnalytics } from '../api/gameanalytics.ts';
import { PROBE_PATHS } from '../contract/http.ts';
import { type Component, metadata, selector } from './metadata.ts';
import type { Container, Deployment, EnvVar, KubernetesObject, SecretVolume } from './objects.ts';
import { RESTRICTED_CONTAINER, RESTRICTED_POD, secretMounts, secretVolumes } from './pod.ts';

interface App {
  component: Extract<Component, 'injector' | 'dashboard' | 'results' | 'history' | 'schema'>;
  image: string;
  /** Left out, the number is an autoscaler's to say. */
  replicas: number | undefined;
  env: EnvVar[];
  secrets: SecretVolume[];
  resources: Record<string, unknown>;
  /** How its copies keep apart, where there can be several. */
  topologySpreadConstraints?: Record<string, unknown>[];
}

/** Port on which each of our programs answers probes, metrics and, the dashboard, browsers. */
const HTTP_PORT = 8080;

/** The old copies go as new ones answer. */
const WITHOUT_DOWNTIME = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };

/** Those that write to the status of the resource. */
const STATUS_WRITERS: readonly Component[] = ['results', 'schema'];

/** Programs of which there must be only one. */
const ALONE: readonly Component[] = [...STATUS_WRITERS, 'history'];
const ONE_AT_A_TIME = { type: 'Recreate' };

/** Where each pod finds the API server of its cluster. */
export const API_SERVER = 'https://kubernetes.default.svc';

export function appName(resource: GameAnalytics, component: App['component']): string {
  return `${resource.metadata.name}-${component}`;
}

/**
 * A Deployment of one of our own programs: `node <component>/main.ts` in the app image, set up by its
 * environment.
 */
export function appDeployment(resource: GameAnalytics, app: App): Deployment {
  const { component, secrets, topologySpreadConstraints } = app;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(resource, component, appName(resource, component)),
    spec: {
      ...(app.replicas !== undefined && { replicas: app.replicas }),
      revisionHistoryLimit: 2,
      strategy: ALONE.includes(component) ? ONE_AT_A_TIME : WITHOUT_DOWNTIME,
      selector: { matchLabels: selector(resource, component) },
      template: {
        metadata: { labels: selector(resource, component) },
        spec: {
          serviceAccountName: appName(resource, component),
          automountServiceAccountToken: STATUS_WRITERS.includes(component),
          terminationGracePeriodSeconds: 30,
          securityContext: RESTRICTED_POD,
          ...(topologySpreadConstraints && { topologySpreadConstraints }),
          containers: [container(app)],
          ...(secrets.length > 0 && { volumes: secretVolumes(secrets) }),
        },
      },
    },
  };
}

function container({ component, image, env, secrets, resources }: App): Container {
  return {
    name: component,
    image,
    // kafkajs sets timers with times that have passed; Node would warn of each.
    command: ['node', '--disable-warning=TimeoutNegativeWarning', `${component}/main.ts`],
    // A pod has addresses of IPv4, of IPv6, or of both.
    env: [{ name: 'HOST', value: '::' }, { name: 'PORT', value: String(HTTP_PORT) }, ...env],
    ...(secrets.length > 0 && { volumeMounts: secretMounts(secrets) }),
    ports: [{ name: 'http', containerPort: HTTP_PORT }],
    readinessProbe: { httpGet: { path: PROBE_PATHS.ready, port: 'http' }, periodSeconds: 5 },
    livenessProbe: { httpGet: { path: PROBE_PATHS.alive, port: 'http' }, periodSeconds: 10 },
    resources,
    securityContext: { ...RESTRICTED_CONTAINER, readOnlyRootFilesystem: true },
  };
}

/**
 * The account of a program. Those that never speak to the API server have no role, and its token is not
 * mounted; the pods of the others ask for the token themselves.
 */
export function appServiceAccount(resource: GameAnalytics, component: App['component']): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(resource, component, appName(resource, component)),
    automountServiceAccountToken: false,
  };
}
