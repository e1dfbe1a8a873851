import { stringify } from 'yaml';

/** YAML without anchors, which Kubernetes tools handle unevenly, and with SQL as it is, line by line. */
export function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, blockQuote: 'literal', lineWidth: 120 });
}
