import { type Logger, pino } from 'pino';

/**
 * JSON lines on standard output, each written at once: the last ones, which say why the process ended, must
 * not be lost.
 */
export function createLog(level: string): Logger {
  return pino({ level }, pino.destination({ sync: true }));
}

/** A log whose lines all carry the resource that is meant by the key `namespace/name`. */
export function resourceLog(log: Logger, key: string): Logger {
  const [namespace, name] = key.split('/');
  return log.child({ namespace, name });
}
