import kafkajs, { type AclEntry, type Admin, type ITopicConfig, Kafka, logLevel } from 'kafkajs';

// No exports that Node finds by name.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } =
  kafkajs;

/** Questions to a cluster, and changes of its topics and access lists. */
export type KafkaAdmin = Admin;

/** A topic to be created. */
export type NewTopic = ITopicConfig;

/** What one user may do with one resource. */
export type Acl = AclEntry;

/** The numbers by which Kafka's protocol knows kinds of resources, of names, and of operations. */
export const ACL_RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  transactionalId: AclResourceTypes.TRANSACTIONAL_ID,
};
export const ACL_PATTERNS = {
  literal: ResourcePatternTypes.LITERAL,
  prefix: ResourcePatternTypes.PREFIXED,
};
export const ACL_OPERATIONS = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Describe: AclOperationTypes.DESCRIBE,
  Delete: AclOperationTypes.DELETE,
};
export const ACL_ALLOW = AclPermissionTypes.ALLOW;

/**
 * For brokers that ask for no sign-in, such as one that was started on this machine, and is slow on a busy
 * one. Not connected yet.
 */
export function localAdmin(bootstrapServers: string): KafkaAdmin {
  const kafka = new Kafka({
    clientId: 'local',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 10_000,
    retry: { retries: 2 },
  });
  return kafka.admin();
}

/** Sets the configuration of topics to these entries and no others. */
export async function setTopicConfigs(
  admin: KafkaAdmin,
  topics: { name: string; configEntries: { name: string; value: string }[] }[],
): Promise<void> {
  const resources = topics.map((topic) => ({ type: ConfigResourceTypes.TOPIC, ...topic }));
  await admin.alterConfigs({ validateOnly: false, resources });
}

/** Makes these the only access lists of the cluster. */
export async function replaceAcls(admin: KafkaAdmin, acl: Acl[]): Promise<void> {
  const any = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  };
  await admin.deleteAcls({ filters: [any] });
  await admin.createAcls({ acl });
}
