/** Versions of the APIs of the operators that the plan relies on. */
export const STRIMZI_API = 'kafka.strimzi.io/v1';
export const FLINK_API = 'flink.apache.org/v1beta1';

/** A Kubernetes object as the plan builds it: plain JSON, ready for server-side apply. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: OwnerReference[];
  };
  [field: string]: unknown;
}

interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller: true;
  blockOwnerDeletion: false;
}

export interface EnvVar {
  name: string;
  value: string;
}

export interface HttpProbe {
  httpGet: { path: string; port: string };
  periodSeconds: number;
  failureThreshold?: number;
}

export interface Container {
  name: string;
  image: string;
  command: string[];
  env: EnvVar[];
  volumeMounts?: VolumeMount[];
  ports: { name: string; containerPort: number }[];
  startupProbe?: HttpProbe;
  readinessProbe: HttpProbe;
  livenessProbe: HttpProbe;
  resources: Record<string, unknown>;
  securityContext: Record<string, unknown>;
}

/**
 * A Secret as a folder in a container, with a file for each key: what is in it is in no argument, variable or
 * object.
 */
export interface SecretVolume {
  name: string;
  secretName: string;
  mountPath: string;
}

interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}

interface Volume {
  name: string;
  secret?: { secretName: string };
  persistentVolumeClaim?: { claimName: string };
}

export interface PodSpec {
  containers: { volumeMounts?: VolumeMount[] }[];
  volumes?: Volume[];
  [field: string]: unknown;
}

export interface Deployment extends KubernetesObject {
  kind: 'Deployment';
  spec: {
    replicas?: number;
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: PodSpec & { containers: [Container] };
    };
    [field: string]: unknown;
  };
}

export interface Service extends KubernetesObject {
  kind: 'Service';
  spec: { selector: Record<string, string>; ports: { name: string; port: number; targetPort: string }[] };
}

export interface NetworkPolicyPeer {
  /** Left out, the pods are those of the policy's own namespace; empty, those of all. */
  namespaceSelector?: { matchLabels?: Record<string, string> };
  /** Empty, the pods are all. */
  podSelector: { matchLabels?: Record<string, string> };
}

export interface NetworkPolicyPort {
  protocol: 'TCP' | 'UDP';
  port: number | string;
}

export interface NetworkPolicy extends KubernetesObject {
  kind: 'NetworkPolicy';
  spec: {
    podSelector: { matchLabels: Record<string, string> };
    policyTypes: ('Ingress' | 'Egress')[];
    /** Without `from`, from everywhere; without `ports`, to all. */
    ingress: { from?: NetworkPolicyPeer[]; ports?: NetworkPolicyPort[] }[];
    egress?: { to?: NetworkPolicyPeer[]; ports?: NetworkPolicyPort[] }[];
  };
}

export interface KafkaTopic extends KubernetesObject {
  kind: 'KafkaTopic';
  spec: { partitions: number; config: Record<string, string | number> };
}

export interface KafkaUser extends KubernetesObject {
  kind: 'KafkaUser';
  spec: {
    authentication: { type: 'scram-sha-512' | 'tls' };
    authorization: { type: 'simple'; acls: KafkaAcl[] };
  };
}

export interface KafkaAcl {
  resource: {
    type: 'topic' | 'group' | 'transactionalId';
    name: string;
    patternType: 'literal' | 'prefix';
  };
  operations: ('Read' | 'Write' | 'Describe' | 'Delete')[];
}

export interface FlinkDeployment extends KubernetesObject {
  kind: 'FlinkDeployment';
  spec: {
    image: string;
    flinkVersion: string;
    serviceAccount: string;
    flinkConfiguration: Record<string, string>;
    jobManager: FlinkProcess;
    taskManager: FlinkProcess;
    podTemplate: { metadata: { labels: Record<string, string> }; spec: PodSpec };
    job: {
      jarURI: string;
      entryClass: string;
      args: string[];
      parallelism: number;
      allowNonRestoredState: boolean;
      upgradeMode: 'savepoint' | 'stateless';
      state: 'running';
    };
  };
}

interface FlinkProcess {
  /** Memory in the form that Flink reads: 1024m. */
  resource: { memory: string; cpu: number };
}
