import type { Layout } from './layout.ts';

/**
 * What a plan depends on in addition to the resource: where Kafka is, the images of this version, and the job
 * there is.
 */
export interface Environment {
  /** Address of the Kafka listener: host:port, or several with commas. */
  bootstrapServers: string;
  /** Image with our own programs. */
  appImage: string;
  /** Flink image, where the resource names none. */
  flinkImage: string;
  /** Where the Flink Kubernetes Operator is; undefined when that is not known. */
  flinkOperatorNamespace?: string | undefined;
  /** Layout of the job whose state the planned one finds; without one it reads all events again. */
  layout?: Layout | undefined;
}
