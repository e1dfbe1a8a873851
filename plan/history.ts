import type { GameAnalytics } from '../api/gameanalytics.ts';
import { appDeployment, appServiceAccount } from './app.ts';
import type { Environment } from './environment.ts';
import { kafkaSecrets, kafkaSettings } from './kafka-access.ts';
import type { KubernetesObject } from './objects.ts';
import { keptBoards, playersTopics } from './topics.ts';

/** It holds some hundred records at a time, which a board of a thousand ranks makes large. */
const RESOURCES = { requests: { cpu: '25m', memory: '192Mi' }, limits: { memory: '512Mi' } };

/** The program that keeps the changes of boards, when the resource asks for that of any. */
export function history(resource: GameAnalytics, environment: Environment): KubernetesObject[] {
  const boards = keptBoards(resource);
  if (boards.length === 0) return [];
  return [
    appServiceAccount(resource, 'history'),
    appDeployment(resource, {
      component: 'history',
      image: environment.appImage,
      replicas: 1,
      env: [
        ...kafkaSettings(resource, 'history', environment.bootstrapServers),
        { name: 'HISTORY_BOARDS', value: JSON.stringify(boards, null, 1) },
        ...playersTopics(resource).map((value) => ({ name: 'PLAYERS_TOPIC', value })),
      ],
      secrets: kafkaSecrets(resource, 'history'),
      resources: RESOURCES,
    }),
  ];
}
