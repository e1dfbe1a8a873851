import { describe, expect, it } from 'vitest';
import { describeFlinkError, flinkJob, observeJob } from '../../../../operator/controller/flink-status.ts';
import type { FlinkDeployment } from '../../../../plan/objects.ts';
import { plan } from '../../../../plan/plan.ts';
import { resource } from '../../../../testkit/resources/resource.ts';
import { live } from './live.ts';

const SERIALIZED = 'org.apache.flink.util.SerializedThrowable';
const ADVICE =
  'Run gameanalytics validate --sql on the manifest: it names the leaderboard, and the place in its SQL.';

const QUERY = `SELECT rnk, user_idx FROM (
  SELECT user_id, ROW_NUMBER() OVER (ORDER BY user_id) AS rnk FROM valid_events)
WHERE rnk <= 10`;
const SPEC = {
  leaderboards: [
    { name: 'top-teams', type: 'TopTeams' },
    {
      name: 'regulars',
      type: 'Query',
      columns: [
        { name: 'rnk', type: 'BIGINT' },
        { name: 'user', type: 'STRING' },
      ],
      query: QUERY,
    },
    { name: 'top-players', type: 'TopPlayers' },
  ],
};
const script = plan(resource(SPEC), { bootstrapServers: 'kafka:9092', appImage: 'app', flinkImage: 'flink' })
  .find((object): object is FlinkDeployment => object.kind === 'FlinkDeployment')!
  .spec.job.args.at(-1)!;
const lineOf = (text: string) => script.split('\n').findIndex((line) => line.includes(text)) + 1;

/** As the Flink operator 1.15 writes it, with as many causes as given. */
const error = (message: string, ...causes: string[]) =>
  JSON.stringify({
    type: SERIALIZED,
    message,
    additionalMetadata: {},
    throwableList: causes.map((cause) => ({ type: SERIALIZED, message: cause, additionalMetadata: {} })),
  });

const OUTER =
  'org.apache.flink.client.deployment.application.ApplicationExecutionException: Could not execute application.';
const MAIN =
  'org.apache.flink.client.program.ProgramInvocationException: The main method caused an error: null';
const SCRIPT = 'org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to execute the script.';
const REFLECTED = 'java.lang.reflect.InvocationTargetException';

describe('the error of a FlinkDeployment', () => {
  it('of SQL that Flink does not take is a sentence with what to do', () => {
    expect(describeFlinkError(error(OUTER, MAIN, SCRIPT), script)).toBe(
      `Failed to execute the script; The main method caused an error; Could not execute application. ${ADVICE}`,
    );
  });

  it('names the leaderboard and its line where Flink names a line', () => {
    const at = `line ${lineOf('user_idx')}, column 13`;
    const found = `From ${at} to line ${lineOf('user_idx')}, column 20: Column 'user_idx' not found in any table`;
    const validation = `org.apache.flink.table.api.ValidationException: SQL validation failed. ${found}`;
    expect(describeFlinkError(error(OUTER, MAIN, REFLECTED, SCRIPT, validation), script)).toBe(
      `SQL validation failed. ${found}; Failed to execute the script; The main method caused an error; ` +
        `Could not execute application (leaderboard regulars: SELECT rnk, user_idx FROM (). ${ADVICE}`,
    );
  });

  it('names the leaderboard of a sink that a query does not fit', () => {
    const sink = (table: string) =>
      `org.apache.flink.table.api.ValidationException: Column types of query result and sink for 'default_catalog.default_database.${table}' do not match.`;
    expect(describeFlinkError(error(SCRIPT, sink('regulars')), script)).toContain('(leaderboard regulars)');
    expect(describeFlinkError(error(SCRIPT, sink('unknown')), script)).not.toContain('leaderboard unknown');
  });

  it('names no leaderboard for a line before the first', () => {
    const text = describeFlinkError(error('SQL parse failed. Encountered "x" at line 2, column 1.'), script);
    expect(text).toBe(`SQL parse failed. Encountered "x" at line 2, column 1. ${ADVICE}`);
  });

  it('has neither classes, nor stacks, nor what a wrapper repeats', () => {
    const trace =
      'java.util.concurrent.CompletionException: java.lang.IllegalStateException: no slots\n\tat a.B.c(B.java:1)\nCaused by: x';
    const text = describeFlinkError(
      error(trace, `${SERIALIZED}: java.lang.IllegalStateException: no slots`),
      '',
    );
    expect(text).toBe('no slots');
  });

  it.each([
    ['no slots\n\tat a.B.c(B.java:1)', 'no slots'],
    ['null', 'null'],
    ['{"message":', '{"message":'],
  ])('that is plain text is taken as it is: %j', (plain, text) => {
    expect(describeFlinkError(plain, script)).toBe(text);
  });

  it('is bounded', () => {
    expect(describeFlinkError('x'.repeat(100_000), script).length).toBeLessThanOrEqual(2_000);
  });

  it('says nothing when the job is only not found yet, as at every start', () => {
    const missing = error('org.apache.flink.runtime.rest.NotFoundException: Job Not Found');
    expect(describeFlinkError(missing, script)).toBe('');
    expect(describeFlinkError('Job Not Found', script)).toBe('');
  });
});

describe('how a job does', () => {
  const observe = (status: object | undefined, { podTroubles = '', isNew = false, generation = 1 } = {}) =>
    observeJob(live('FlinkDeployment', { spec: {}, status }, { generation }), podTroubles, { isNew });
  const status = (lifecycleState: string, state: string) => ({ lifecycleState, jobStatus: { state } });

  it.each([
    ['STABLE', 'RUNNING', 'stable', 'STABLE/RUNNING'],
    ['STABLE', 'RESTARTING', 'pending', 'STABLE/RESTARTING'],
    ['DEPLOYED', 'RUNNING', 'pending', 'DEPLOYED/RUNNING'],
    ['STABLE', 'FAILED', 'failed', 'STABLE/FAILED'],
    ['FAILED', 'RUNNING', 'failed', 'FAILED/RUNNING'],
    // The state is still that of the job before.
    ['UPGRADING', 'FAILED', 'pending', 'UPGRADING'],
    ['UPGRADING', 'RUNNING', 'pending', 'UPGRADING'],
  ])('that is %s with its job %s is %s', (lifecycleState, state, phase, message) => {
    expect(observe(status(lifecycleState, state))).toEqual({ phase, message });
  });

  it('is unknown without a status', () => {
    expect(observe(undefined)).toEqual({ phase: 'pending', message: 'no status yet' });
  });

  it('includes its error and its pods’ troubles', () => {
    const failed = { ...status('FAILED', 'FAILED'), error: 'no slots' };
    expect(observe(failed, { podTroubles: 'Pod a is Pending: no room' }).message).toBe(
      'FAILED/FAILED: no slots. Pod a is Pending: no room',
    );
  });

  it('is not known of a new revision until the Flink operator has answered to it', () => {
    const stable = { ...status('STABLE', 'RUNNING'), observedGeneration: 1 };
    expect(observe(stable, { isNew: true, generation: 2 })).toEqual({
      phase: 'pending',
      message: 'the Flink operator has not answered yet',
    });
    expect(observe(stable, { isNew: true }).phase).toBe('stable');
    expect(observe(stable, { isNew: false, generation: 2 }).phase).toBe('stable');
  });
});

it('a job has the state and the id that Flink gives it', () => {
  const job = (jobStatus?: object) => flinkJob(live('FlinkDeployment', { status: { jobStatus } }));
  expect(job({ state: 'RUNNING', jobId: 'abc' })).toEqual({ state: 'RUNNING', id: 'abc' });
  expect(job()).toEqual({});
});
