import type { AuditEvent } from './audit.ts';
import type { Rendered, Rule } from './chart.ts';

/** What a permission or a request is about. */
interface Subject {
  group?: string | undefined;
  resource: string;
  subresource?: string | undefined;
  name?: string | undefined;
}

/** The role that a RoleBinding of our own binds to. */
function boundRole(binding = ''): Subject {
  const [, program = 'flink-job'] = /-(results|schema)$/.exec(binding) ?? [];
  const name = `gameanalytics-${program}`;
  return { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', name };
}

/** A permission in a word, as `kubectl auth can-i` asks: `<verb> <resource>.<group>/<subresource> <name>`. */
function permission(verb: string, { group, resource, subresource, name }: Subject): string {
  return [
    `${verb} ${resource}`,
    group && `.${group}`,
    subresource && `/${subresource}`,
    name && ` ${name}`,
  ].join('');
}

/** The roles among a chart's objects that it binds someone to. */
export function boundRoles(objects: Rendered[]): Rendered[] {
  const bound = new Set(objects.map(({ roleRef }) => roleRef && `${roleRef.kind} ${roleRef.name}`));
  return objects.filter(({ kind, metadata }) => bound.has(`${kind} ${metadata.name}`));
}

/** Every single permission that roles give. */
export function permissionsOf(roles: Rendered[]): string[] {
  const rules = roles.flatMap(({ rules = [] }) => rules);
  return rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) =>
        resourceNames.flatMap((name) => {
          const [resource = '', subresource] = path.split('/');
          return verbs.map((verb) => permission(verb, { group, resource, subresource, name }));
        }),
      ),
    ),
  );
}

/** The permissions that a request asked for, each for any name and for its own. */
export function permissionsUsed({ verb, objectRef, responseStatus }: AuditEvent): string[] {
  if (!objectRef) return [];
  const { apiGroup: group, resource, subresource, name } = objectRef;
  const subject = { group, resource, subresource };
  const of = (used: string) => [permission(used, subject), permission(used, { ...subject, name })];
  // An apply that finds nothing must be allowed to create too, which the log does not say; nor does it tell
  // of `bind`.
  const created = verb === 'patch' && responseStatus?.code === 201;
  const bound = created && resource === 'rolebindings';
  return [
    ...of(verb),
    ...(created ? of('create') : []),
    ...(bound ? [permission('bind', boundRole(name))] : []),
  ];
}

/** The rules but for one verb on a resource. */
export function without(rules: Rule[], verb: string, resource: string): Rule[] {
  return rules.flatMap((rule) => {
    if (!rule.resources.includes(resource)) return [rule];
    const verbs = rule.verbs.filter((other) => other !== verb);
    return verbs.length > 0 ? [{ ...rule, verbs }] : [];
  });
}
