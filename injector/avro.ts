import { EVENT_FIELDS, type EventField } from '../contract/event.ts';
import type { GameEvent } from './event.ts';

const AVRO_TYPES = { STRING: 'string', BIGINT: 'long' } as const;

interface Field {
  name: keyof GameEvent;
  type: (typeof AVRO_TYPES)[keyof typeof AVRO_TYPES];
}

const FIELDS: Field[] = [
  ...(Object.keys(EVENT_FIELDS) as EventField[]).map((name) => ({
    name,
    type: AVRO_TYPES[EVENT_FIELDS[name].type],
  })),
  { name: 'readable_time', type: 'string' },
  { name: 'event_type', type: 'string' },
];

/** The schema of an event as it is written to the topic. */
export const EVENT_SCHEMA = { type: 'record', name: 'UserScore', fields: FIELDS };

/** A zero byte and the schema's id. */
const HEADER_BYTES = 5;
/** The most that a number takes, and the length of a text. */
const NUMBER_BYTES = 10;
/** The most that one of JavaScript's characters takes in UTF-8. */
const MOST_CHARACTER_BYTES = 3;

/**
 * Encodes events in Confluent's wire format.
 *
 * @param schemaId what EVENT_SCHEMA has in the schema registry
 */
export function avroEncoder(schemaId: number): (event: GameEvent) => Buffer {
  return (event) => {
    let most = HEADER_BYTES;
    for (const { name } of FIELDS) {
      const value = event[name];
      most += NUMBER_BYTES + (typeof value === 'string' ? MOST_CHARACTER_BYTES * value.length : 0);
    }
    const bytes = Buffer.allocUnsafe(most);
    bytes[0] = 0;
    let end = bytes.writeInt32BE(schemaId, 1);
    for (const { name } of FIELDS) {
      const value = event[name];
      if (typeof value === 'number') {
        end = writeLong(bytes, value, end);
      } else {
        end = writeLong(bytes, Buffer.byteLength(value), end);
        end += bytes.write(value, end);
      }
    }
    return bytes.subarray(0, end);
  };
}

/**
 * Writes a safe integer from 0 as Avro does: 7 bits a byte, the lowest first, of which the lowest of all is
 * the sign. In floating point, since it can have more than 32 bits. Returns where it ends.
 */
function writeLong(bytes: Buffer, value: number, start: number): number {
  let rest = 2 * value;
  let end = start;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes[end++] = (rest % 128) | 128;
  bytes[end++] = rest;
  return end;
}
