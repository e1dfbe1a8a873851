import { buildPrograms } from './programs.ts';

/** `node testkit/cluster/build.ts` builds whatever of a control plane this machine has not built yet. */
const say = (sentence: string) => void process.stdout.write(`${sentence}\n`);
await buildPrograms(say).catch((error: Error) => {
  say(error.message);
  process.exitCode = 1;
});
