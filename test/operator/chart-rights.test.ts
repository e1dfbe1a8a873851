import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../local/process/retry.ts';
import { installChart, listOf, type Rendered, type Rule, renderChart } from '../../testkit/cluster/chart.ts';
import { type ControlPlane, startControlPlane } from '../../testkit/cluster/control-plane.ts';

const FLINK_JOB_ROLE = 'gameanalytics-flink-job';
const PROGRAM_ROLES = ['gameanalytics-results', 'gameanalytics-schema'];
/** What the operator's roles and Lease are called. */
const OPERATOR = 'gameanalytics-operator';

let plane: ControlPlane;
let namespace: string;

beforeAll(async () => {
  // The controllers fill Kubernetes' own roles view, edit and admin.
  plane = await startControlPlane({ controllerManager: true });
});

afterAll(() => plane?.stop());

beforeEach(async () => {
  namespace = await plane.newNamespace();
});

describe('what the operator may do', () => {
  it('is spelled out: no rule has a wildcard', async () => {
    const objects = await renderChart(plane, { namespace });
    const rules = objects.flatMap((object) => object.rules ?? []);
    const words = rules.flatMap((rule) => [...rule.apiGroups, ...rule.resources, ...rule.verbs]);
    expect(words).not.toHaveLength(0);
    expect(words.filter((word) => word.includes('*'))).toEqual([]);
  });

  it('is the same in all namespaces and in one', async () => {
    const rules = async (kind: string, values: Record<string, unknown>) =>
      rulesOf(await renderChart(plane, { namespace, values }), kind);
    const everywhere = await rules('ClusterRole', {});
    expect(everywhere).not.toHaveLength(0);
    expect(await rules('Role', { watchNamespace: 'games' })).toEqual(everywhere);
  });

  it('is nothing, in no namespace, when someone else binds its account', async () => {
    const values = { rbac: { create: false }, clusterRoles: { create: false } };
    const objects = await renderChart(plane, { namespace, values });
    expect(objects.filter(({ apiVersion }) => apiVersion.startsWith('rbac.'))).toEqual([]);
  });

  it.each(['all namespaces', 'one namespace'])(
    'is what it needs and no more, as the API server sees it: %s',
    async (scope) => {
      const games = await plane.newNamespace();
      const elsewhere = await plane.newNamespace();
      const { serviceAccount } = await installChart(plane, {
        namespace,
        ...(scope === 'one namespace' && { watchNamespace: games }),
      });
      const may = (questions: string[], where: string) =>
        allowed(`system:serviceaccount:${namespace}:${serviceAccount}`, questions, where);
      expect(await may([...NEEDED, ...NOT_NEEDED], games)).toEqual(NEEDED);
      expect(await may(NEEDED, elsewhere)).toEqual(scope === 'one namespace' ? [] : NEEDED);
      expect(await may(LEASE, namespace)).toEqual(LEASE);
      expect(await may(LEASE, games)).toEqual([]);
      expect(await may(OTHER_LEASES, namespace)).toEqual([]);
    },
  );

  it('gives a Flink job and the programs their roles, and nobody any other', async () => {
    const { serviceAccount } = await installChart(plane, { namespace, watchNamespace: namespace });
    const bind = (role: string) =>
      plane.kubectl(
        'create',
        'rolebinding',
        role,
        `--clusterrole=${role}`,
        `--serviceaccount=${namespace}:job`,
        `--as=system:serviceaccount:${namespace}:${serviceAccount}`,
        `--namespace=${namespace}`,
      );
    for (const role of [FLINK_JOB_ROLE, ...PROGRAM_ROLES])
      await expect(bind(role)).resolves.toContain('created');
    await expect(bind('cluster-admin')).rejects.toThrow('grant RBAC permissions not currently held');
  });
});

describe('what people may do', () => {
  const READ = ['get', 'list', 'watch'];
  const WRITE = ['create', 'update', 'patch', 'delete'];

  it.each([
    { role: 'view', verbs: READ },
    { role: 'edit', verbs: [...READ, ...WRITE] },
    { role: 'admin', verbs: [...READ, ...WRITE] },
  ])('with GameAnalytics, who has the role $role', async ({ role, verbs }) => {
    await installChart(plane, { namespace });
    await plane.kubectl('create', 'rolebinding', 'a', `--clusterrole=${role}`, '--user=ann', '-n', namespace);
    const questions = (of: string[]) => of.map((verb) => `${verb} gameanalytics.gameanalytics.dev`);
    const look = async () => {
      const answers = await allowed('ann', questions([...READ, ...WRITE]), namespace);
      return answers.length < verbs.length ? undefined : answers;
    };
    const answers = await until(look, { everyMillis: 100, signal: AbortSignal.timeout(10_000) });
    expect(answers).toEqual(questions(verbs));
  });
});

/** As `kubectl auth can-i` asks: `<verb> <resource>.<group>/<name or subresource>`. */
const NEEDED = [
  'list gameanalytics.gameanalytics.dev',
  'watch gameanalytics.gameanalytics.dev',
  'patch gameanalytics.gameanalytics.dev#status',
  'watch kafkas.kafka.strimzi.io',
  'create kafkatopics.kafka.strimzi.io',
  'delete kafkatopics.kafka.strimzi.io',
  'patch flinkdeployments.flink.apache.org',
  'patch services',
  'create serviceaccounts',
  'delete serviceaccounts',
  'delete deployments.apps',
  'create controllerrevisions.apps',
  'patch ingresses.networking.k8s.io',
  'create networkpolicies.networking.k8s.io',
  'delete networkpolicies.networking.k8s.io',
  'patch poddisruptionbudgets.policy',
  'create rolebindings.rbac.authorization.k8s.io',
  'delete rolebindings.rbac.authorization.k8s.io',
  `bind clusterroles.rbac.authorization.k8s.io/${FLINK_JOB_ROLE}`,
  ...PROGRAM_ROLES.map((role) => `bind clusterroles.rbac.authorization.k8s.io/${role}`),
  'create events.events.k8s.io',
];
const NOT_NEEDED = [
  'patch gameanalytics.gameanalytics.dev',
  'delete gameanalytics.gameanalytics.dev',
  'patch kafkas.kafka.strimzi.io',
  'delete flinkdeployments.flink.apache.org',
  'delete services',
  'delete poddisruptionbudgets.policy',
  'get secrets',
  'list configmaps',
  'create pods',
  'create pods#exec',
  'create serviceaccounts#token',
  'create roles.rbac.authorization.k8s.io',
  'create clusterrolebindings.rbac.authorization.k8s.io',
  'escalate clusterroles.rbac.authorization.k8s.io',
  'bind clusterroles.rbac.authorization.k8s.io/cluster-admin',
  'list namespaces',
];
const LEASE = [
  'create leases.coordination.k8s.io',
  `get leases.coordination.k8s.io/${OPERATOR}`,
  `update leases.coordination.k8s.io/${OPERATOR}`,
];
const OTHER_LEASES = [
  'get leases.coordination.k8s.io/another',
  'update leases.coordination.k8s.io/another',
  `delete leases.coordination.k8s.io/${OPERATOR}`,
];

/** Those of the questions to which the API server says yes. */
async function allowed(user: string, questions: string[], namespace: string): Promise<string[]> {
  const reviews = questions.map((question) => review(user, question, namespace));
  const create = ['create', '--filename=-', '--output=jsonpath={.status.allowed}{"\\n"}'];
  const answers = await plane.kubectlWithInput(listOf(reviews), ...create);
  const lines = answers.split('\n');
  return questions.filter((_, index) => lines[index] === 'true');
}

function review(user: string, question: string, namespace: string) {
  const [, verb, resource, group = '', subresource = '', name = ''] =
    /^(\w+) (\w+)(?:\.([\w.]+))?(?:#(\w+))?(?:\/([\w-]+))?$/.exec(question) ?? [];
  const groups = ['system:authenticated', 'system:serviceaccounts'];
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes: { verb, resource, group, subresource, name, namespace } },
  };
}

/** What the operator may do where it looks after resources. */
function rulesOf(objects: Rendered[], kind: string): Rule[] {
  return objects.find((object) => object.kind === kind && object.metadata.name === OPERATOR)?.rules ?? [];
}
