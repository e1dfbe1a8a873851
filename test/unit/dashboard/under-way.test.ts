import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { UnderWay } from '../../../dashboard/web/under-way.ts';

class FakeAnswer extends EventEmitter {
  isCut = false;

  destroy(): this {
    this.isCut = true;
    this.emit('close');
    return this;
  }
}

describe('answers under way', () => {
  const set = (most: number) => {
    let cut = 0;
    const underWay = new UnderWay(most, () => {
      cut += 1;
    });
    const send = (content: object, bytes: number) => {
      const answer = new FakeAnswer();
      underWay.add(answer, content, bytes);
      return answer;
    };
    return { underWay, send, cuts: () => cut };
  };

  it('are cut, the oldest first, when they are too much together', () => {
    const { underWay, send, cuts } = set(100);
    const answers = [send({}, 40), send({}, 40), send({}, 40)];
    expect(answers.map(({ isCut }) => isCut)).toEqual([true, false, false]);
    send({}, 90);
    expect(answers.map(({ isCut }) => isCut)).toEqual([true, true, true]);
    expect([underWay.bytes, cuts()]).toEqual([90, 3]);
  });

  it('make room when they have arrived', () => {
    const { underWay, send, cuts } = set(100);
    for (let index = 0; index < 10; index += 1) send({}, 90).emit('close');
    expect([underWay.bytes, cuts()]).toEqual([0, 0]);
  });

  it('count once what many get at once, until all have it', () => {
    const { underWay, send, cuts } = set(100);
    const page = {};
    const answers = Array.from({ length: 50 }, () => send(page, 90));
    expect([underWay.bytes, cuts()]).toEqual([90, 0]);
    for (const answer of answers.slice(1)) answer.emit('close');
    expect(underWay.bytes).toBe(90);
    answers[0]?.emit('close');
    expect(underWay.bytes).toBe(0);
  });

  it('are not cut for their own size', () => {
    const { send, cuts } = set(100);
    expect(send({}, 200).isCut).toBe(false);
    expect(cuts()).toBe(0);
  });
});
