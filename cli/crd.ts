import { stringify } from 'yaml';
import { customResourceDefinition } from '../api/crd.ts';

/** Prints the CustomResourceDefinition; crds/gameanalytics.yaml is this text. */
export async function crd(): Promise<void> {
  process.stdout.write(`# Printed from api/ by: make crds\n${toYaml(customResourceDefinition())}`);
}

/** YAML without anchors, which Kubernetes tools handle unevenly, and with SQL as it is, line by line. */
export function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, blockQuote: 'literal', lineWidth: 120 });
}
