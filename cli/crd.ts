import { stringify } from 'yaml';
import { customResourceDefinition } from '../api/crd.ts';
import { noArguments } from './usage.ts';

const HELP = `gameanalytics crd

Prints the CustomResourceDefinition of GameAnalytics, to be applied to a cluster.
`;

/** Prints the CustomResourceDefinition; crds/gameanalytics.yaml is this text. */
export async function crd(args: string[]): Promise<void> {
  if (!noArguments(args, HELP)) return;
  process.stdout.write(`# Printed from api/ by: make crds\n${toYaml(customResourceDefinition())}`);
}

/** YAML without anchors, which Kubernetes tools handle unevenly, and with SQL as it is, line by line. */
export function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, blockQuote: 'literal', lineWidth: 120 });
}
