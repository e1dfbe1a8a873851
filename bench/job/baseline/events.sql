-- What the product is measured against: four separate jobs, each with its own scan, in the query shapes of the demo that this
-- project grew from. Totals are cast after they were summed and ties break by name, so every rank keeps all its rows; streaks are two
-- chained OVER averages per event; players are joined with their team's total before they are ranked. State is bounded by a TTL, and
-- updates are combined in mini-batches, as the demo has it.

CREATE TABLE user_scores (
  user_id STRING,
  team_id STRING,
  team_name STRING,
  score INT,
  event_time_millis BIGINT,
  readable_time STRING,
  event_type STRING,
  event_time AS TO_TIMESTAMP_LTZ(event_time_millis, 3),
  WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '$events',
  'properties.bootstrap.servers' = '$bootstrapServers',
  'properties.group.id' = '$run',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);
