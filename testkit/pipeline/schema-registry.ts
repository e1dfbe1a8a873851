import type { LocalRuntime } from '../../local/local-runtime.ts';
import { startSchemaRegistry as startApicurio } from '../../local/schema-registry.ts';

/** A schema as it is registered; without a type it is Avro. */
export interface Registration {
  schema: object;
  schemaType?: 'AVRO' | 'JSON';
  references?: { name: string; subject: string; version: number }[];
}

/** A real Apicurio Registry. */
export interface SchemaRegistry {
  /** Where it has Confluent's API. */
  url: string;
  /** Registers a schema as the newest of its subject, and returns its id. */
  register(subject: string, registration: Registration): Promise<number>;
}

/** Starts it as a process of the runtime, which ends it. Resolves when it answers. */
export async function startSchemaRegistry(runtime: LocalRuntime): Promise<SchemaRegistry> {
  const url = await startApicurio(runtime);
  return { url, register: (subject, registration) => register(url, subject, registration) };
}

async function register(url: string, subject: string, registration: Registration): Promise<number> {
  const response = await fetch(`${url}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ ...registration, schema: JSON.stringify(registration.schema) }),
  });
  const answer = (await response.json()) as { id: number };
  if (!response.ok) throw new Error(`${subject}: ${JSON.stringify(answer)}`);
  return answer.id;
}
