-- The whole pipeline of game as one Flink job: one scan of the events, one statement set for all
-- boards.

SET 'table.local-time-zone' = 'UTC';
-- Totals of past seasons are forgotten this long after their last change.
SET 'table.exec.state.ttl' = '10800000 ms';
-- Changes are combined for this long, and written as one: what a rank takes back and says again in between is
-- never seen. The size is out of reach, since it would end a mini-batch halfway through a change.
SET 'table.exec.mini-batch.enabled' = 'true';
SET 'table.exec.mini-batch.allow-latency' = '500 ms';
SET 'table.exec.mini-batch.size' = '2000000000';
-- Readers do not combine events themselves: they may be a mini-batch apart, and half of what one combined
-- would be taken in. It would also save little, since few events of a mini-batch are of the same player.
SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE';
-- A partition without events for this long does not hold up the others' windows. Longer than Kafka is away in
-- a roll-out: of partitions that come back after this time, the first to be read closes the windows of the
-- others.
SET 'table.exec.source.idle-timeout' = '30 s';
-- State is found by an operator's place in this script: statements may be added at the end, and none may
-- move.
SET 'table.exec.uid.generation' = 'ALWAYS';
SET 'table.exec.uid.format' = '1-52de665e-<id>_<transformation>';

-- The game's records, as they are in Kafka. What cannot be read as a column's type is NULL (a number's
-- decimals are dropped, digits in quotes are a number); nothing in the topic can stop the job. The names that
-- begin with a dollar are none that a column of a record can have.
CREATE TABLE `raw_events` (
  `user_id` STRING,
  `team_id` STRING,
  `team_name` STRING,
  `score` BIGINT,
  `event_time_millis` BIGINT,
  -- When the record came to Kafka, or was made, as the topic's message.timestamp.type says: with it, being
  -- late is a fact of the topic's content and the same in every replay.
  `$produced_at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  -- When the job reads it: the order of what is not ordered by events' own times.
  `$read_at` AS PROCTIME(),
  -- An event cannot have happened after it came to Kafka: a clock that runs ahead must not close everyone
  -- else's windows. (In a topic with the producers' own timestamps it does, as nothing in it says how late it
  -- is.)
  `$event_time` AS COALESCE(LEAST(TO_TIMESTAMP_LTZ(event_time_millis, 3), `$produced_at`), `$produced_at`),
  WATERMARK FOR `$event_time` AS `$event_time` - INTERVAL '0 00:00:05' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'scores',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.security.protocol' = 'SSL',
  'properties.ssl.keystore.type' = 'PEM',
  'properties.ssl.keystore.certificate.chain' = '${secret:/etc/gameanalytics/kafka-user:user.crt}',
  'properties.ssl.keystore.key' = '${secret:/etc/gameanalytics/kafka-user:user.key}',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/etc/gameanalytics/kafka-ca/ca.crt',
  'properties.config.providers' = 'secret',
  'properties.config.providers.secret.class' = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.DirectoryConfigProvider',
  'properties.config.providers.secret.param.allowed.paths' = '/etc/gameanalytics/kafka-user',
  'properties.group.id' = 'game.flink',
  -- What a producer takes back never counts.
  'properties.isolation.level' = 'read_committed',
  -- Partitions take short turns. On a busy machine, one that waits while a megabyte of another is read would
  -- count as idle, and its events as late.
  'properties.max.partition.fetch.bytes' = '65536',
  -- Of a slow topic, the events of a moment come in one answer.
  'properties.fetch.min.bytes' = '65536',
  'properties.fetch.max.wait.ms' = '100',
  'scan.startup.mode' = 'earliest-offset',
  'scan.topic-partition-discovery.interval' = '30 s',
  'scan.parallelism' = '1',
  -- Reading a backlog, partitions stay within 5 min of each other's event time, so that windows hold little.
  -- So do the events and their undecoded messages, or all that is read ahead would count as undecodable until
  -- the events follow.
  'scan.watermark.alignment.group' = 'raw_events',
  'scan.watermark.alignment.max-drift' = '5 min',
  'scan.watermark.alignment.update-interval' = '200 ms',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.ignore-parse-errors' = 'true'
);

-- The records as events, valid or not.
CREATE VIEW `decoded_events` AS
SELECT
  user_id AS `user_id`,
  team_id AS `team_id`,
  team_name AS `team_name`,
  score AS `score`,
  event_time_millis AS `event_time_millis`,
  `$event_time` AS event_time,
  `$produced_at` AS produced_at,
  1000 * EXTRACT(EPOCH FROM `$produced_at`) + EXTRACT(MILLISECOND FROM `$produced_at`) AS produced_at_millis,
  `$read_at` AS read_at
FROM `raw_events`;

-- The events that count: with ids, a time, and a score from 0 to the largest integer that JSON carries
-- exactly. Milliseconds from 1973 to 2286 have 12 or 13 digits; seconds, microseconds and nanoseconds of
-- these years have not. "score >= 0" stands on the bare column: by it the planner knows that totals only
-- grow, and ranks them the fast way. Ids and names are bounded, so that no row outgrows a Kafka message. (And
-- LEFT makes text that compares by its bytes: text as it comes from JSON compares by UTF-16.)
CREATE VIEW `valid_events` AS
SELECT
  user_id,
  team_id,
  LEFT(team_name, 256) AS team_name,
  score,
  event_time_millis,
  event_time,
  produced_at,
  produced_at_millis,
  read_at,
  -- The greatest of these texts has the newest name, after 19 digits.
  CAST(1000000000000000000 + LEAST(event_time_millis, produced_at_millis) AS STRING) || LEFT(team_name, 256) AS dated_team_name
FROM `decoded_events`
WHERE user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 100000000000 AND event_time_millis < 10000000000000
  AND score >= 0 AND score <= 9007199254740991;

-- What goes through the pipeline, in slots of 5 s. Counts are by Kafka's own time of the
-- record; players and teams are those with an event in time whose event time is in the slot. A slot's row
-- grows until its time is over.
CREATE TABLE pipeline_stats (
  slot_start BIGINT,
  events BIGINT,
  late_events BIGINT,
  robot_events BIGINT,
  uncounted_events BIGINT,
  undecodable_messages BIGINT,
  active_players BIGINT,
  active_teams BIGINT,
  newest_event_time BIGINT,
  uncounted_reason STRING,
  PRIMARY KEY (slot_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'game-pipeline-stats',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.security.protocol' = 'SSL',
  'properties.ssl.keystore.type' = 'PEM',
  'properties.ssl.keystore.certificate.chain' = '${secret:/etc/gameanalytics/kafka-user:user.crt}',
  'properties.ssl.keystore.key' = '${secret:/etc/gameanalytics/kafka-user:user.key}',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/etc/gameanalytics/kafka-ca/ca.crt',
  'properties.config.providers' = 'secret',
  'properties.config.providers.secret.class' = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.DirectoryConfigProvider',
  'properties.config.providers.secret.param.allowed.paths' = '/etc/gameanalytics/kafka-user',
  'key.format' = 'json',
  'value.format' = 'json',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200 ms'
);

-- Every message, read but not decoded: those that give no event could not be decoded, or not all of it.
CREATE TABLE messages (
  content STRING,
  produced_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR produced_at AS produced_at - INTERVAL '0 00:00:05' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'scores',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.security.protocol' = 'SSL',
  'properties.ssl.keystore.type' = 'PEM',
  'properties.ssl.keystore.certificate.chain' = '${secret:/etc/gameanalytics/kafka-user:user.crt}',
  'properties.ssl.keystore.key' = '${secret:/etc/gameanalytics/kafka-user:user.key}',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/etc/gameanalytics/kafka-ca/ca.crt',
  'properties.config.providers' = 'secret',
  'properties.config.providers.secret.class' = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.DirectoryConfigProvider',
  'properties.config.providers.secret.param.allowed.paths' = '/etc/gameanalytics/kafka-user',
  'properties.group.id' = 'game.flink-stats',
  -- What a producer takes back never counts.
  'properties.isolation.level' = 'read_committed',
  -- Partitions take short turns. On a busy machine, one that waits while a megabyte of another is read would
  -- count as idle, and its events as late.
  'properties.max.partition.fetch.bytes' = '65536',
  -- Of a slow topic, the events of a moment come in one answer.
  'properties.fetch.min.bytes' = '65536',
  'properties.fetch.max.wait.ms' = '100',
  'scan.startup.mode' = 'earliest-offset',
  'scan.topic-partition-discovery.interval' = '30 s',
  'scan.parallelism' = '1',
  -- Reading a backlog, partitions stay within 5 min of each other's event time, so that windows hold little.
  -- So do the events and their undecoded messages, or all that is read ahead would count as undecodable until
  -- the events follow.
  'scan.watermark.alignment.group' = 'raw_events',
  'scan.watermark.alignment.max-drift' = '5 min',
  'scan.watermark.alignment.update-interval' = '200 ms',
  'value.format' = 'raw'
);

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0.
CREATE TABLE `top` (
  season_start BIGINT,
  -- Which definition of the board made the record: one that is left from an earlier definition has another
  -- digest.
  digest STRING,
  `rows` ARRAY<ROW<`rnk` BIGINT, `team_id` STRING, `team_name` STRING, `total_score` BIGINT, `last_event_at` BIGINT>>,
  PRIMARY KEY (season_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'game-top',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.security.protocol' = 'SSL',
  'properties.ssl.keystore.type' = 'PEM',
  'properties.ssl.keystore.certificate.chain' = '${secret:/etc/gameanalytics/kafka-user:user.crt}',
  'properties.ssl.keystore.key' = '${secret:/etc/gameanalytics/kafka-user:user.key}',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/etc/gameanalytics/kafka-ca/ca.crt',
  'properties.config.providers' = 'secret',
  'properties.config.providers.secret.class' = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.DirectoryConfigProvider',
  'properties.config.providers.secret.param.allowed.paths' = '/etc/gameanalytics/kafka-user',
  -- A board of a thousand ranks with the longest names is larger than Kafka's default of 1 MB.
  'properties.max.request.size' = '1048576',
  'key.format' = 'json',
  'value.format' = 'json'
);

EXECUTE STATEMENT SET
BEGIN
INSERT INTO pipeline_stats (
  slot_start, events, late_events, robot_events, uncounted_events, undecodable_messages, active_players, active_teams, newest_event_time, uncounted_reason
)
WITH of_events AS (
  SELECT
    1000 * (EXTRACT(EPOCH FROM produced_at) - MOD(EXTRACT(EPOCH FROM produced_at), 5)) AS slot_start,
    1 AS events,
    CASE WHEN TO_TIMESTAMP_LTZ(event_time_millis, 3) <= produced_at - INTERVAL '0 00:00:05' DAY TO SECOND THEN 1 ELSE 0 END AS late_events,
    CASE WHEN user_id LIKE 'RBT%' THEN 1 ELSE 0 END AS robot_events,
    CASE WHEN user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 100000000000 AND event_time_millis < 10000000000000
  AND score >= 0 AND score <= 9007199254740991 THEN 0 ELSE 1 END AS uncounted_events,
    -- A message that gives an event is not malformed.
    -1 AS undecodable_messages,
    CASE WHEN TO_TIMESTAMP_LTZ(event_time_millis, 3) <= produced_at THEN event_time_millis END AS newest_event_time,
    -- The greatest of these texts is that of the newest event: 19 digits, then the reason.
    CASE
      WHEN user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 100000000000 AND event_time_millis < 10000000000000
  AND score >= 0 AND score <= 9007199254740991 THEN CAST(NULL AS STRING)
      ELSE CAST(1000000000000000000 + produced_at_millis AS STRING) || CASE
        WHEN user_id IS NULL OR user_id = '' THEN 'user_id is missing, or no text'
        WHEN CHAR_LENGTH(user_id) > 256 THEN 'user_id has more than 256 characters'
        WHEN team_id IS NULL OR team_id = '' THEN 'team_id is missing, or no text'
        WHEN CHAR_LENGTH(team_id) > 256 THEN 'team_id has more than 256 characters'
        WHEN event_time_millis IS NULL THEN 'event_time_millis is missing, or no number'
        WHEN event_time_millis < 100000000000 OR event_time_millis >= 10000000000000 THEN 'event_time_millis is no time from 1973 to 2286 in milliseconds'
        WHEN score IS NULL THEN 'score is missing, or no number'
        ELSE 'score is not from 0 to 9007199254740991'
      END
    END AS uncounted_reason
  FROM `decoded_events`
), of_messages AS (
  SELECT
    1000 * (EXTRACT(EPOCH FROM produced_at) - MOD(EXTRACT(EPOCH FROM produced_at), 5)) AS slot_start,
    -- An array counts as the events in it: those of one message must not make up for another message without
    -- any.
    CASE
      WHEN content LIKE '%[%{%' AND content IS JSON ARRAY
        THEN COALESCE(CARDINALITY(JSON_QUERY(content, '$' RETURNING ARRAY<STRING>)), 1)
      ELSE 1
    END
    -- Of several objects or arrays, one after the other, only the first is read.
    + CASE
      WHEN content LIKE '%}%{%' AND REGEXP(content, '[\]}]\s*[\[{]') AND content IS JSON
        AND ('[' || content || ']') IS NOT JSON THEN 1
      ELSE 0
    END
    AS undecodable_messages
  FROM messages
), of_windows AS (
  SELECT
    1000 * EXTRACT(EPOCH FROM window_start) AS slot_start,
    COUNT(DISTINCT user_id) AS active_players,
    COUNT(DISTINCT team_id) AS active_teams
  FROM TABLE(TUMBLE(TABLE `valid_events`, DESCRIPTOR(event_time), INTERVAL '5' SECOND))
  WHERE event_time > produced_at - INTERVAL '0 00:00:05' DAY TO SECOND
  GROUP BY window_start, window_end
), parts AS (
  SELECT
    slot_start,
    CAST(events AS BIGINT) AS events,
    CAST(late_events AS BIGINT) AS late_events,
    CAST(robot_events AS BIGINT) AS robot_events,
    CAST(uncounted_events AS BIGINT) AS uncounted_events,
    CAST(undecodable_messages AS BIGINT) AS undecodable_messages,
    CAST(0 AS BIGINT) AS active_players,
    CAST(0 AS BIGINT) AS active_teams,
    CAST(newest_event_time AS BIGINT) AS newest_event_time,
    CAST(uncounted_reason AS STRING) AS uncounted_reason
  FROM of_events
  UNION ALL
  SELECT
    slot_start,
    CAST(0 AS BIGINT) AS events,
    CAST(0 AS BIGINT) AS late_events,
    CAST(0 AS BIGINT) AS robot_events,
    CAST(0 AS BIGINT) AS uncounted_events,
    CAST(undecodable_messages AS BIGINT) AS undecodable_messages,
    CAST(0 AS BIGINT) AS active_players,
    CAST(0 AS BIGINT) AS active_teams,
    CAST(NULL AS BIGINT) AS newest_event_time,
    CAST(NULL AS STRING) AS uncounted_reason
  FROM of_messages
  UNION ALL
  SELECT
    slot_start,
    CAST(0 AS BIGINT) AS events,
    CAST(0 AS BIGINT) AS late_events,
    CAST(0 AS BIGINT) AS robot_events,
    CAST(0 AS BIGINT) AS uncounted_events,
    CAST(0 AS BIGINT) AS undecodable_messages,
    CAST(active_players AS BIGINT) AS active_players,
    CAST(active_teams AS BIGINT) AS active_teams,
    CAST(NULL AS BIGINT) AS newest_event_time,
    CAST(NULL AS STRING) AS uncounted_reason
  FROM of_windows
)
-- A slot changes for seconds; it need not be remembered as long as a season.
SELECT /*+ STATE_TTL('parts' = '1 h') */
  slot_start,
  SUM(events) AS events,
  SUM(late_events) AS late_events,
  SUM(robot_events) AS robot_events,
  SUM(uncounted_events) AS uncounted_events,
  SUM(undecodable_messages) AS undecodable_messages,
  SUM(active_players) AS active_players,
  SUM(active_teams) AS active_teams,
  MAX(newest_event_time) AS newest_event_time,
  SUBSTRING(MAX(uncounted_reason) FROM 20) AS uncounted_reason
FROM parts
GROUP BY slot_start;

INSERT INTO `top` (season_start, digest, `rows`)
SELECT
  season_start,
  '446b68d9',
  ARRAY_AGG(ROW(`rnk`, `team_id`, `team_name`, `total_score`, `last_event_at`))
FROM (
  SELECT *
  FROM (
WITH totals AS (
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    team_id,
    SUBSTRING(MAX(dated_team_name) FROM 20) AS team_name,
    SUM(score) AS total_score,
    MAX(produced_at_millis) AS last_event_at
  FROM `valid_events`
  GROUP BY event_time_millis - MOD(event_time_millis, 3600000), team_id
)
SELECT
  season_start,
  ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY total_score DESC, team_id) AS rnk,
  team_id,
  team_name,
  total_score,
  last_event_at
FROM totals
  ) AS ranked (`season_start`, `rnk`, `team_id`, `team_name`, `total_score`, `last_event_at`)
  WHERE rnk <= 16
)
GROUP BY season_start;

END;