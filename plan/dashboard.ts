import type { GameAnalytics } from '../api/gameanalytics.ts';
import { appDeployment, appName, appServiceAccount } from './app.ts';
import { boards, toDefinition } from './boards.ts';
import type { Environment } from './environment.ts';
import { flinkName } from './flink.ts';
import { kafkaSecrets, kafkaSettings } from './kafka-access.ts';
import { metadata, selector } from './metadata.ts';
import type { KubernetesObject, Service } from './objects.ts';
import { countingGroups } from './sql.ts';
import { eventsTopic, playersTopics, statsTopic } from './topics.ts';

/** Port of the dashboard's Service. */
export const DASHBOARD_PORT = 80;

/** Where the Secret that signs people in is mounted. */
const SIGN_IN_MOUNT = '/etc/gameanalytics/sign-in';

/** Where the Secret of those who may hide players is mounted. */
const PLAYERS_SIGN_IN_MOUNT = '/etc/gameanalytics/players';

/**
 * The page that shows the boards: its Deployment, what keeps its copies apart, the Service in front, and an
 * Ingress when asked for.
 */
export function dashboard(resource: GameAnalytics, environment: Environment): KubernetesObject[] {
  const { replicas, resources, ingress, auth } = resource.spec.dashboard;
  const playersSecret = resource.spec.players?.secretName;
  const definitions = boards(resource).map(toDefinition);
  return [
    appServiceAccount(resource, 'dashboard'),
    appDeployment(resource, {
      component: 'dashboard',
      image: environment.appImage,
      replicas,
      env: [
        ...kafkaSettings(resource, 'dashboard', environment.bootstrapServers),
        { name: 'DASHBOARD_TITLE', value: resource.spec.dashboard.title ?? resource.metadata.name },
        { name: 'DASHBOARD_BOARDS', value: JSON.stringify(definitions, null, 1) },
        { name: 'STATS_TOPIC', value: statsTopic(resource) },
        { name: 'EVENTS_TOPIC', value: eventsTopic(resource) },
        { name: 'JOB_GROUPS', value: countingGroups(resource).join(',') },
        ...playersTopics(resource).map((value) => ({ name: 'PLAYERS_TOPIC', value })),
        { name: 'JOB_ADVICE', value: jobAdvice(resource) },
        { name: 'REPLAY_ADVICE', value: replayAdvice(resource) },
        ...(ingress && ingress.path !== '/' ? [{ name: 'BASE_PATH', value: ingress.path }] : []),
        ...(auth ? [{ name: 'SIGN_IN_FOLDER', value: SIGN_IN_MOUNT }] : []),
        ...(playersSecret ? [{ name: 'PLAYERS_SIGN_IN_FOLDER', value: PLAYERS_SIGN_IN_MOUNT }] : []),
      ],
      secrets: [
        ...kafkaSecrets(resource, 'dashboard'),
        ...(auth ? [{ name: 'sign-in', secretName: auth.secretName, mountPath: SIGN_IN_MOUNT }] : []),
        ...(playersSecret
          ? [{ name: 'players', secretName: playersSecret, mountPath: PLAYERS_SIGN_IN_MOUNT }]
          : []),
      ],
      resources,
      topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((place) =>
        spreadOver(place, resource),
      ),
    }),
    dashboardBudget(resource),
    dashboardService(resource),
    ...dashboardIngress(resource),
  ];
}

function jobAdvice({ metadata: { name } }: GameAnalytics): string {
  return `Look at the condition JobRunning: kubectl describe gameanalytics ${name}.`;
}

function replayAdvice(resource: GameAnalytics): string {
  return `To count the new topic from its beginning: kubectl delete flinkdeployment ${flinkName(resource)}, which is created again without its state; then kubectl rollout restart deployment ${appName(resource, 'dashboard')}.`;
}

/**
 * The copies of one revision go to different places, as far as there are any: the old ones, which end, do not
 * count.
 */
function spreadOver(topologyKey: string, resource: GameAnalytics) {
  return {
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selector(resource, 'dashboard') },
    matchLabelKeys: ['pod-template-hash'],
  };
}

/**
 * A drain takes one copy at a time. It is never stopped: not by the only copy, nor by one that does no good.
 */
function dashboardBudget(resource: GameAnalytics): KubernetesObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(resource, 'dashboard', appName(resource, 'dashboard')),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selector(resource, 'dashboard') },
    },
  };
}

function dashboardService(resource: GameAnalytics): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(resource, 'dashboard', appName(resource, 'dashboard')),
    spec: {
      selector: selector(resource, 'dashboard'),
      ports: [{ name: 'http', port: DASHBOARD_PORT, targetPort: 'http' }],
    },
  };
}

function dashboardIngress(resource: GameAnalytics): KubernetesObject[] {
  const { ingress } = resource.spec.dashboard;
  if (!ingress) return [];
  const { host, path, className, tlsSecret } = ingress;
  const service = { name: appName(resource, 'dashboard'), port: { name: 'http' } };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: metadata(resource, 'dashboard', appName(resource, 'dashboard')),
      spec: {
        ...(className && { ingressClassName: className }),
        ...(tlsSecret && { tls: [{ hosts: [host], secretName: tlsSecret }] }),
        rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend: { service } }] } }],
      },
    },
  ];
}
