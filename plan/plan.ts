import { type GameAnalytics, needsSchema } from '../api/gameanalytics.ts';
import { dashboard } from './dashboard.ts';
import type { Environment } from './environment.ts';
import { flink } from './flink.ts';
import { history } from './history.ts';
import { injector } from './injector.ts';
import { networkPolicies } from './network-policies.ts';
import type { KubernetesObject } from './objects.ts';
import { results } from './results.ts';
import { findingSchema } from './schema.ts';
import { topics } from './topics.ts';
import { users } from './users.ts';

/**
 * The Kubernetes objects that make the pipeline a resource describes, in the order in which they are best
 * created. A pure function: the same resource and environment give the same objects, whatever was there
 * before. While the columns of the events are not known, these are only what finds them.
 */
export function plan(resource: GameAnalytics, environment: Environment): KubernetesObject[] {
  if (needsSchema(resource.spec)) return findingSchema(resource, environment);
  return [
    ...topics(resource),
    ...users(resource),
    ...networkPolicies(resource, environment),
    ...flink(resource, environment),
    ...injector(resource, environment),
    ...dashboard(resource, environment),
    ...results(resource, environment),
    ...history(resource, environment),
  ];
}
