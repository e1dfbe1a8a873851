import { millis } from '../api/duration.ts';
import type { GameAnalytics } from '../api/gameanalytics.ts';
import { appDeployment, appServiceAccount } from './app.ts';
import type { Environment } from './environment.ts';
import { kafkaSecrets, kafkaSettings } from './kafka-access.ts';
import type { EnvVar, KubernetesObject } from './objects.ts';
import { registrySecrets, registrySettings } from './schema-registry.ts';
import { eventsTopic } from './topics.ts';

/**
 * The simulated game, when the resource asks for one. While it rolls two are played for a moment: with none
 * there would be a gap in the events.
 */
export function injector(resource: GameAnalytics, environment: Environment): KubernetesObject[] {
  const { injector } = resource.spec;
  if (!injector) return [];
  return [
    appServiceAccount(resource, 'injector'),
    appDeployment(resource, {
      component: 'injector',
      image: environment.appImage,
      replicas: 1,
      env: [
        ...kafkaSettings(resource, 'injector', environment.bootstrapServers),
        ...registrySettings(resource),
        ...settings(resource, injector),
      ],
      secrets: [...kafkaSecrets(resource, 'injector'), ...registrySecrets(resource)],
      resources: injector.resources,
    }),
  ];
}

function settings(
  resource: GameAnalytics,
  injector: NonNullable<GameAnalytics['spec']['injector']>,
): EnvVar[] {
  const { membersPerTeam, lateEvents, seed } = injector;
  const values: Record<string, string | number | undefined> = {
    EVENTS_TOPIC: eventsTopic(resource),
    EVENTS_PER_SECOND: injector.eventsPerSecond,
    LIVE_TEAMS: injector.liveTeams,
    MEMBERS_MIN: membersPerTeam.min,
    MEMBERS_MAX: membersPerTeam.max,
    MAX_SCORE: injector.maxScore,
    ROBOT_PROBABILITY: injector.robotProbability,
    LATE_SHARE: lateEvents.share,
    LATE_MIN_MILLIS: millis(lateEvents.minDelay),
    LATE_MAX_MILLIS: millis(lateEvents.maxDelay),
    SEED: seed,
  };
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: String(value) }],
  );
}
