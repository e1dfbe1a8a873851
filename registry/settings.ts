import { text } from '../lib/settings.ts';

/** The variables of a program that asks a schema registry. */
export const REGISTRY_VARIABLES = {
  SCHEMA_REGISTRY_URL: text('an address such as http://schema-registry:8080/apis/ccompat/v7').meta({
    description: 'Confluent’s API of a schema registry',
  }),
  SCHEMA_REGISTRY_FOLDER: text('a folder with username and password, with ca.crt, or with all three')
    .optional()
    .meta({ description: 'what the schema registry asks for, and what signs its certificate' }),
};
