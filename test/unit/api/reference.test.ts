import { expect, it } from 'vitest';
import { customResourceDefinition } from '../../../api/crd.ts';
import { reference } from '../../../tools/docs/reference.ts';
import type { Schema } from '../../../tools/docs/structural-schema.ts';

const root = customResourceDefinition().spec.versions[0]!.schema.openAPIV3Schema as Schema;

it('docs/resource.md has what the schema says', async () => {
  await expect(reference(root)).toMatchFileSnapshot('../../../docs/resource.md');
});
