import { customResourceDefinition } from '../api/crd.ts';
import { noArguments } from './usage.ts';
import { toYaml } from './yaml.ts';

const HELP = `gameanalytics crd

Prints the CustomResourceDefinition of GameAnalytics, to be applied to a cluster.
`;

/** Prints the CustomResourceDefinition; crds/gameanalytics.yaml is this text. */
export async function crd(args: string[]): Promise<void> {
  if (!noArguments(args, HELP)) return;
  process.stdout.write(`# Printed from api/ by: make crds\n${toYaml(customResourceDefinition())}`);
}
