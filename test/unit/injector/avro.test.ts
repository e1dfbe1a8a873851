import avro from 'avsc';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EVENT_FIELDS } from '../../../contract/event.ts';
import { avroEncoder, EVENT_SCHEMA } from '../../../injector/avro.ts';
import type { GameEvent } from '../../../injector/event.ts';

/** By itself the library reads no numbers of more than 52 bits. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer: () => Buffer.alloc(0),
  fromJSON: Number,
  toJSON: Number,
  isValid: Number.isSafeInteger,
  compare: (a: number, b: number) => a - b,
});
const type = avro.Type.forSchema(EVENT_SCHEMA as never, { registry: { long } });

it('the schema of an event has the fields that the job reads, and those for people', () => {
  expect(EVENT_SCHEMA.fields.map(({ name }) => name)).toEqual([
    ...Object.keys(EVENT_FIELDS),
    'readable_time',
    'event_type',
  ]);
});

it('an event is what another library decodes by the schema, after a zero byte and its id', () => {
  const text = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
  const number = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 63, 64, 8191, 8192, 2 ** 31, 2 ** 53 - 1));
  const event = fc.record({
    user_id: text,
    team_id: text,
    team_name: text,
    score: number,
    event_time_millis: number,
    readable_time: text,
    event_type: fc.constantFrom('normal', 'late'),
  }) as fc.Arbitrary<GameEvent>;
  const id = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(event, id, (event, id) => {
      const bytes = avroEncoder(id)(event);
      expect([bytes[0], bytes.readInt32BE(1)]).toEqual([0, id]);
      expect({ ...type.fromBuffer(bytes.subarray(5)) }).toEqual(event);
    }),
  );
});
