/** What a plan depends on beside the resource: where Kafka is, and the images that are released with the operator. */
export interface Environment {
  /** Address of the Kafka listener: host:port, or several with commas. */
  bootstrapServers: string;
  /** Image with our own programs. */
  appImage: string;
  /** Flink image, where the resource names none. */
  flinkImage: string;
}
