import { readFile } from 'node:fs/promises';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { PIPELINE_KINDS, type PipelineFacts, PipelineMonitor } from '../../dashboard/pipeline-state.ts';
import { Stats } from '../../dashboard/stats/stats.ts';
import { TopicState } from '../../dashboard/topic-state.ts';
import { Metrics as DashboardMetrics } from '../../dashboard/web/metrics.ts';
import { createRegistry as createHistoryRegistry } from '../../history/metrics.ts';
import { createMetrics as createInjectorMetrics } from '../../injector/metrics.ts';
import { Progress } from '../../injector/progress.ts';
import { createMetrics as createOperatorMetrics } from '../../operator/metrics.ts';
import { createRegistry as createResultsRegistry } from '../../results/metrics.ts';

const RULES = 'monitoring/rules.yaml';
const GRAFANA = 'monitoring/grafana-dashboard.json';

const NOTHING_KNOWN: PipelineFacts = {
  available: true,
  countsKnown: false,
  handledMillis: undefined,
  countingMillis: undefined,
  progressMillis: undefined,
  isReplaced: false,
  uncountedSince: undefined,
  readUntilMillis: undefined,
};

/** Of Flink's Prometheus reporter, with its default scopes. */
const OF_FLINK = [
  'flink_taskmanager_job_task_operator_pendingRecords',
  'flink_jobmanager_job_numRestarts',
  'flink_jobmanager_job_numberOfFailedCheckpoints',
  'flink_jobmanager_job_lastCheckpointDuration',
  'flink_jobmanager_job_lastCheckpointSize',
];

it('alerts and the Grafana dashboard ask in PromQL, by the parser of Prometheus’ own page', async () => {
  expect(mistakes('sum by (rate(events[5m]))')).not.toEqual([]);
  for (const expr of await expressions()) expect(mistakes(expr), expr).toEqual([]);
});

it('alerts and the Grafana dashboard ask for metrics that there are', async () => {
  const there = new Set([...(await ours()), ...OF_FLINK]);
  const asked = (await expressions()).flatMap(metricsOf);
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((name) => !there.has(name))).toEqual([]);
});

it('alerts ask for states that the pipeline can be in', async () => {
  const asked = (await expressions()).flatMap((expr) => [...expr.matchAll(/\bstate="(\w+)"/g)]);
  expect(asked.length).toBeGreaterThan(0);
  for (const [, state] of asked) expect(PIPELINE_KINDS).toContain(state);
});

it('alerts ask for kinds of events that are counted', async () => {
  const metrics = dashboardMetrics();
  const counted = await metrics.registry.getSingleMetricAsString('dashboard_events_last_5m');
  const asked = (await expressions()).flatMap((expr) => [...expr.matchAll(/\bkind="\w+"/g)]);
  expect(asked.length).toBeGreaterThan(0);
  for (const [kind] of asked) expect(counted).toContain(kind);
});

it('alerts ask for reasons that there are', async () => {
  const metrics = dashboardMetrics();
  const counted = await metrics.registry.getSingleMetricAsString('dashboard_not_counted_last_5m');
  const asked = (await expressions()).flatMap((expr) => [...expr.matchAll(/\breason(?:!?=|!~)"([\w|]+)"/g)]);
  expect(asked.length).toBeGreaterThan(0);
  for (const reason of asked.flatMap(([, reasons = '']) => reasons.split('|')))
    expect(counted).toContain(`reason="${reason}"`);
});

it('each alert has a name of its own, says how grave it is, and what to do', async () => {
  const all = await alerts();
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  for (const { labels, annotations } of all) {
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    expect(annotations.description).toBeTruthy();
  }
});

it('the pod monitors look for labels that pods have', async () => {
  const goldens = ['arcade', 'production', 'cases/results'].map((name) =>
    readFile(`test/golden/${name}.yaml`, 'utf8'),
  );
  const plan = (await Promise.all(goldens)).join('---\n');
  const [apps] = parseAllDocuments(await readFile('monitoring/pod-monitors.yaml', 'utf8')).map((d) =>
    d.toJS(),
  );
  const [[label, value]] = Object.entries(apps.spec.selector.matchLabels) as [[string, string]];
  expect(plan).toContain(`${label}: ${value}`);
  // All that run for long: what a schema is read with has nothing to count.
  const deployments = parseAllDocuments(plan).map((document) => document.toJS());
  const components = deployments
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata }) => metadata.labels['app.kubernetes.io/component']);
  expect(new Set(components)).toEqual(new Set(apps.spec.selector.matchExpressions[0].values));
  expect(plan).toContain(`name: ${apps.spec.podMetricsEndpoints[0].port}\n`);
});

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

async function alerts(): Promise<Alert[]> {
  const { spec } = parse(await readFile(RULES, 'utf8'));
  return spec.groups.flatMap(({ rules }: { rules: Alert[] }) => rules);
}

async function queries(): Promise<string[]> {
  const { panels } = JSON.parse(await readFile(GRAFANA, 'utf8'));
  return panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  );
}

async function expressions(): Promise<string[]> {
  return [...(await alerts()).map(({ expr }) => expr), ...(await queries())];
}

/** Where the parser does not understand an expression: from each such place on. */
function mistakes(expr: string): string[] {
  return nodesOf(expr).flatMap(({ type, from }) => (type.isError ? expr.slice(from) : []));
}

function metricsOf(expr: string): string[] {
  return nodesOf(expr).flatMap(({ name, from, to }) => (name === 'Identifier' ? expr.slice(from, to) : []));
}

/** All parts of an expression, as its grammar calls them. */
function nodesOf(expr: string) {
  const nodes: { name: string; type: { isError: boolean }; from: number; to: number }[] = [];
  parser
    .parse(expr)
    .iterate({ enter: ({ name, type, from, to }) => void nodes.push({ name, type, from, to }) });
  return nodes;
}

function dashboardMetrics(): DashboardMetrics {
  const metrics = new DashboardMetrics([], () => 0);
  metrics.observeSockets(() => 0);
  const pipeline = new PipelineMonitor(() => NOTHING_KNOWN);
  metrics.observeStats(new TopicState(new Stats()), pipeline);
  metrics.observePipeline(pipeline);
  return metrics;
}

/** The names under which our programs' metrics are read, those of a histogram's parts among them. */
async function ours(): Promise<string[]> {
  const dashboard = dashboardMetrics();
  const injector = createInjectorMetrics(new Progress(0), () => 0);
  const results = { registry: createResultsRegistry({ problem: undefined, written: 0, due: 0 }) };
  const history = { registry: createHistoryRegistry({ problem: undefined, copied: 0, wholeMillis: 0 }) };
  const all = [createOperatorMetrics(), dashboard, injector, results, history].map(({ registry }) =>
    registry.getMetricsAsJSON(),
  );
  const metrics = (await Promise.all(all)).flat();
  return metrics.flatMap(({ name }) => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]);
}
