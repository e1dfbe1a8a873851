import { parseAllDocuments } from 'yaml';
import type { ControlPlaneAccess } from './access.ts';

/** The operator's chart, as it is in the repository. */
export const CHART = new URL('../../charts/gameanalytics-operator', import.meta.url).pathname;
/** The operator's Lease, account and roles are called so too. */
const RELEASE = 'gameanalytics-operator';

/** A Kubernetes object as Helm renders it, as far as tests look at it. */
export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels: Record<string, string> };
  spec?: unknown;
  rules?: Rule[];
  roleRef?: { kind: string; name: string };
}

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface RenderOptions {
  release?: string;
  namespace: string;
  values?: Record<string, unknown>;
  /** A folder or a package. */
  chart?: string;
}

/** What `helm template` prints. Throws what Helm says when it refuses the values. */
export function chartText(plane: ControlPlaneAccess, options: RenderOptions): Promise<string> {
  const { release = RELEASE, namespace, values = {}, chart = CHART } = options;
  return plane.helm('template', release, chart, `--namespace=${namespace}`, ...valueFlags(values));
}

/** The same as objects. */
export async function renderChart(plane: ControlPlaneAccess, options: RenderOptions): Promise<Rendered[]> {
  const documents = parseAllDocuments(await chartText(plane, options));
  return Array.from(documents, (document) => document.toJS() as Rendered);
}

/** Values as flags of Helm. */
export function valueFlags(values: Record<string, unknown>): string[] {
  return ['--set-json', JSON.stringify(values)];
}

interface InstallOptions {
  /** Where the operator's account and Lease are; it must exist. */
  namespace: string;
  /** As the value of the chart: unset, all namespaces, which one operator in a cluster can have. */
  watchNamespace?: string;
  values?: Record<string, unknown>;
}

/** What a test needs to run the operator as the chart's pods would. */
export interface InstalledChart {
  /** Name of its ServiceAccount, which has the chart's rights and no others. */
  serviceAccount: string;
  /** The environment that the chart gives the operator: its settings. */
  environment: Record<string, string>;
}

/**
 * Applies all of the chart but the CRD, which is taken to be there, and the Deployment: the caller runs the
 * operator.
 */
export async function installChart(
  plane: ControlPlaneAccess,
  { namespace, watchNamespace = '', values = {} }: InstallOptions,
): Promise<InstalledChart> {
  const objects = await renderChart(plane, {
    namespace,
    values: { ...values, watchNamespace, crds: { install: false } },
  });
  const items = objects.filter(({ kind }) => kind !== 'Deployment');
  await plane.kubectlWithInput(listOf(items), 'apply', '--server-side', '--force-conflicts', '--filename=-');
  const { serviceAccountName, containers } = podSpec(objects);
  const environment = Object.fromEntries(containers[0].env.map(({ name, value }) => [name, value]));
  return { serviceAccount: serviceAccountName, environment };
}

interface PodSpec {
  serviceAccountName: string;
  containers: [{ env: { name: string; value: string }[]; [field: string]: unknown }];
}

/** What the operator's pods are made of. */
export function podSpec(objects: Rendered[]): PodSpec {
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  if (!deployment) throw new Error('the chart renders no Deployment');
  return (deployment.spec as { template: { spec: PodSpec } }).template.spec;
}

/** Objects as one that kubectl reads. */
export function listOf(items: object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
