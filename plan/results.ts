import { millis } from '../api/duration.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import type { ClosingBoard, ResultSource } from '../contract/results.ts';
import { API_SERVER, appDeployment, appName, appServiceAccount } from './app.ts';
import { toDefinition } from './boards.ts';
import type { Environment } from './environment.ts';
import { kafkaSecrets, kafkaSettings } from './kafka-access.ts';
import { type Layout, layOut } from './layout.ts';
import type { KubernetesObject } from './objects.ts';
import { roleBinding } from './role-binding.ts';
import { scanGroup } from './sql.ts';
import { closingBoards, eventsTopic, playersTopics, resultsTopic } from './topics.ts';

/**
 * The program that writes the final boards of seasons, when the resource asks for them. The dashboard is
 * open to people, so it has not the right to. It also tells the resource, if that is in a cluster, of the
 * seasons that are closed.
 */
export function results(resource: GameAnalytics, environment: Environment): KubernetesObject[] {
  const { results, flink, events } = resource.spec;
  if (!results) return [];
  const { namespace = 'default', name, uid } = resource.metadata;
  const source: ResultSource = { namespace, name };
  const boards = planClosingBoards(resource, layOut(resource, environment.layout));
  return [
    appServiceAccount(resource, 'results'),
    roleBinding(resource, 'results', appName(resource, 'results'), 'gameanalytics-results'),
    appDeployment(resource, {
      component: 'results',
      image: environment.appImage,
      replicas: 1,
      env: [
        ...kafkaSettings(resource, 'results', environment.bootstrapServers),
        { name: 'RESULTS_SOURCE', value: JSON.stringify(source) },
        { name: 'RESULTS_BOARDS', value: JSON.stringify(boards, null, 1) },
        { name: 'RESULTS_TOPIC', value: resultsTopic(resource) },
        ...playersTopics(resource).map((value) => ({ name: 'PLAYERS_TOPIC', value })),
        { name: 'EVENTS_TOPIC', value: eventsTopic(resource) },
        ...(uid ? [{ name: 'KUBERNETES_API_SERVER', value: API_SERVER }] : []),
        // With state, a job that is started again does not recompute.
        ...(flink.state ? [] : [{ name: 'EVENTS_KEPT_MILLIS', value: String(millis(events.retention)) }]),
      ],
      secrets: kafkaSecrets(resource, 'results'),
      resources: results.resources,
    }),
  ];
}

function planClosingBoards(resource: GameAnalytics, { slots }: Layout): ClosingBoard[] {
  return closingBoards(resource).map((board) => {
    const { scan } = slots.find((slot) => !slot.removed && slot.board.name === board.name)!;
    return { definition: toDefinition(board), group: scanGroup(resource, scan) };
  });
}
