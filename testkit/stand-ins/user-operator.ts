import { KAFKA_USER } from '../../operator/kube/kinds.ts';
import type { Controlled } from './api.ts';
import { type Condition, timestamp } from './condition.ts';
import type { Behavior, StepContext } from './controller.ts';

export interface LiveUser extends Controlled {
  spec: { authentication?: { type: string } };
  status?: UserStatus;
}

interface UserStatus {
  conditions: Condition[];
  observedGeneration: number;
  username?: string;
  secret?: string;
}

/**
 * Strimzi's user operator, of every Kafka at once: each user is known, and has the credentials that nobody
 * here reads.
 */
export class UserOperator implements Behavior<LiveUser> {
  readonly kind = KAFKA_USER;
  readonly fieldManager = 'strimzi-user-operator';
  readonly #refusal: (user: LiveUser) => string | undefined;

  /** @param refusal what it says against a user, in Strimzi's words */
  constructor(refusal: (user: LiveUser) => string | undefined) {
    this.#refusal = refusal;
  }

  async step(user: LiveUser, { api, pause }: StepContext): Promise<LiveUser | undefined> {
    const { deletionTimestamp, labels, generation = 0 } = user.metadata;
    if (deletionTimestamp || !labels?.['strimzi.io/cluster']) return undefined;
    if (user.status?.observedGeneration === generation) return undefined;
    await pause();
    return api.replaceStatus(user, this.#status(user, generation));
  }

  #status(user: LiveUser, observedGeneration: number): UserStatus {
    const message = this.#refusal(user);
    const lastTransitionTime = timestamp();
    if (message !== undefined) {
      const reason = 'InvalidResourceException';
      const condition: Condition = { type: 'NotReady', status: 'True', reason, message, lastTransitionTime };
      return { conditions: [condition], observedGeneration };
    }
    const { name } = user.metadata;
    return {
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }],
      observedGeneration,
      username: user.spec.authentication?.type === 'tls' ? `CN=${name}` : name,
      secret: name,
    };
  }
}
