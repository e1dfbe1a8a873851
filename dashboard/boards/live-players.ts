import { Players } from '../../contract/players.ts';
import { TopicState } from '../topic-state.ts';

/** The players that are hidden now. Without a topic of them, nobody ever is. */
export class LivePlayers extends TopicState<Players> {
  constructor() {
    super(new Players());
  }

  isHidden(id: unknown): boolean {
    return this.content.isHidden(id);
  }

  /** With equal versions, the same players are hidden. */
  get version(): string {
    return `${this.publications} ${this.content.revision}`;
  }
}
