-- The whole pipeline of minimal as one Flink job: one scan of the events, one statement set for all
-- boards.

SET 'table.local-time-zone' = 'UTC';
-- State of past seasons is forgotten this long after its last change; a board may need its totals for less.
SET 'table.exec.state.ttl' = '14400000 ms';
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
SET 'table.exec.uid.format' = '1-81263c99-<id>_<transformation>';

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
  -- else's windows. A topic of the user's own may have its producers' times, and nothing in it says which of
  -- them are ahead, but none can be of a time after the record is read.
  `$arrived_at` AS `$produced_at`,
  `$event_time` AS COALESCE(LEAST(TO_TIMESTAMP_LTZ(event_time_millis, 3), `$produced_at`), `$produced_at`),
  WATERMARK FOR `$event_time` AS `$event_time` - INTERVAL '0 00:00:05' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-user-score',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.group.id' = 'minimal.flink',
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
  `$arrived_at` AS arrived_at,
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
  arrived_at,
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
  uncounted_no_user BIGINT,
  uncounted_id_too_long BIGINT,
  uncounted_no_team BIGINT,
  uncounted_no_event_id BIGINT,
  uncounted_no_time BIGINT,
  uncounted_time_out_of_range BIGINT,
  uncounted_no_score BIGINT,
  uncounted_score_out_of_range BIGINT,
  duplicate_events BIGINT,
  frozen_events BIGINT,
  newest_event_time BIGINT,
  uncounted_reason STRING,
  example_malformed STRING,
  example_no_user STRING,
  example_id_too_long STRING,
  example_no_team STRING,
  example_no_event_id STRING,
  example_no_time STRING,
  example_time_out_of_range STRING,
  example_no_score STRING,
  example_score_out_of_range STRING,
  example_duplicate STRING,
  example_frozen STRING,
  PRIMARY KEY (slot_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'minimal-pipeline-stats',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'value.format' = 'json',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200 ms'
);

-- Every message, read but not decoded: those that give no event could not be decoded, or not all of it.
CREATE TABLE messages (
  content STRING,
  produced_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  `$arrived_at` AS `produced_at`,
  WATERMARK FOR `$arrived_at` AS `$arrived_at` - INTERVAL '0 00:00:05' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-user-score',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'properties.group.id' = 'minimal.flink-stats',
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
-- without seasons have one record, under season_start 0. A program keeps what it was before, if asked to.
CREATE TABLE `top-teams` (
  season_start BIGINT,
  -- Which definition of the board made the record: one that is left from an earlier definition has another
  -- digest.
  digest STRING,
  `rows` ARRAY<ROW<`rnk` BIGINT, `team_id` STRING, `team_name` STRING, `total_score` BIGINT, `last_event_at` BIGINT>>,
  PRIMARY KEY (season_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'minimal-top-teams',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  -- A board of a thousand ranks with the longest names is larger than Kafka's default of 1 MB.
  'properties.max.request.size' = '1048576',
  'key.format' = 'json',
  'value.format' = 'json'
);

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0. A program keeps what it was before, if asked to.
CREATE TABLE `top-players` (
  season_start BIGINT,
  -- Which definition of the board made the record: one that is left from an earlier definition has another
  -- digest.
  digest STRING,
  `rows` ARRAY<ROW<`rnk` BIGINT, `user_id` STRING, `team_name` STRING, `total_score` BIGINT, `last_event_at` BIGINT>>,
  PRIMARY KEY (season_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'minimal-top-players',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  -- A board of a thousand ranks with the longest names is larger than Kafka's default of 1 MB.
  'properties.max.request.size' = '1048576',
  'key.format' = 'json',
  'value.format' = 'json'
);

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0. A program keeps what it was before, if asked to.
CREATE TABLE `hot-streakers` (
  season_start BIGINT,
  -- Which definition of the board made the record: one that is left from an earlier definition has another
  -- digest.
  digest STRING,
  as_of BIGINT,
  `rows` ARRAY<ROW<`rnk` BIGINT, `user_id` STRING, `team_name` STRING, `short_term_avg` DOUBLE, `long_term_avg` DOUBLE, `peak_hotness` DOUBLE, `peak_at` BIGINT>>
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-hot-streakers',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  -- A board of a thousand ranks with the longest names is larger than Kafka's default of 1 MB.
  'properties.max.request.size' = '1048576',
  'key.format' = 'json',
  'key.fields' = 'season_start',
  'value.format' = 'json'
);

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0. A program keeps what it was before, if asked to.
CREATE TABLE `team-mvps` (
  season_start BIGINT,
  -- Which definition of the board made the record: one that is left from an earlier definition has another
  -- digest.
  digest STRING,
  `rows` ARRAY<ROW<`rnk` BIGINT, `user_id` STRING, `team_id` STRING, `team_name` STRING, `player_total` BIGINT, `team_total` BIGINT, `contrib_ratio` DOUBLE, `last_event_at` BIGINT>>,
  PRIMARY KEY (season_start) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'minimal-team-mvps',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  -- A board of a thousand ranks with the longest names is larger than Kafka's default of 1 MB.
  'properties.max.request.size' = '1048576',
  'key.format' = 'json',
  'value.format' = 'json'
);

EXECUTE STATEMENT SET
BEGIN
INSERT INTO pipeline_stats (
  slot_start, events, late_events, robot_events, uncounted_events, undecodable_messages, active_players, active_teams, uncounted_no_user, uncounted_id_too_long, uncounted_no_team, uncounted_no_event_id, uncounted_no_time, uncounted_time_out_of_range, uncounted_no_score, uncounted_score_out_of_range, duplicate_events, frozen_events, newest_event_time, uncounted_reason, example_malformed, example_no_user, example_id_too_long, example_no_team, example_no_event_id, example_no_time, example_time_out_of_range, example_no_score, example_score_out_of_range, example_duplicate, example_frozen
)
WITH of_events AS (
  SELECT
    1000 * (EXTRACT(EPOCH FROM produced_at) - MOD(EXTRACT(EPOCH FROM produced_at), 5)) AS slot_start,
    1 AS events,
    CASE WHEN TO_TIMESTAMP_LTZ(event_time_millis, 3) <= produced_at - INTERVAL '0 00:00:05' DAY TO SECOND THEN 1 ELSE 0 END AS late_events,
    CASE WHEN user_id LIKE 'RBT%' THEN 1 ELSE 0 END AS robot_events,
    -- A message that gives an event is not malformed.
    -1 AS undecodable_messages,
    CASE WHEN TO_TIMESTAMP_LTZ(event_time_millis, 3) <= produced_at THEN event_time_millis END AS newest_event_time
  FROM `decoded_events`
), invalid AS (
  SELECT
    1000 * (EXTRACT(EPOCH FROM produced_at) - MOD(EXTRACT(EPOCH FROM produced_at), 5)) AS slot_start,
    -- The greatest of texts that begin with these 19 digits is that of the newest event.
    CAST(1000000000000000000 + produced_at_millis AS STRING) AS dated,
    CASE
      WHEN user_id IS NULL OR user_id = '' THEN 'no_user'
      WHEN CHAR_LENGTH(user_id) > 256 THEN 'id_too_long'
      WHEN team_id IS NULL OR team_id = '' THEN 'no_team'
      WHEN CHAR_LENGTH(team_id) > 256 THEN 'id_too_long'
      WHEN event_time_millis IS NULL THEN 'no_time'
      WHEN event_time_millis < 100000000000 OR event_time_millis >= 10000000000000 THEN 'time_out_of_range'
      WHEN score IS NULL THEN 'no_score'
      ELSE 'score_out_of_range'
    END AS reason,
    CASE
      WHEN user_id IS NULL OR user_id = '' THEN 'user_id is missing, or no text'
      WHEN CHAR_LENGTH(user_id) > 256 THEN 'user_id has more than 256 characters'
      WHEN team_id IS NULL OR team_id = '' THEN 'team_id is missing, or no text'
      WHEN CHAR_LENGTH(team_id) > 256 THEN 'team_id has more than 256 characters'
      WHEN event_time_millis IS NULL THEN 'event_time_millis is missing, or no number'
      WHEN event_time_millis < 100000000000 OR event_time_millis >= 10000000000000 THEN 'event_time_millis is no time from 1973 to 2286 in milliseconds'
      WHEN score IS NULL THEN 'score is missing, or no number'
      ELSE 'score is not from 0 to 9007199254740991'
    END AS text,
    'user_id=' || COALESCE(REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_EXTRACT(user_id, '(?s)^.{0,16}', 0), '[0-9]', '0'), '[^\p{Punct} 0]', 'x') || CASE WHEN CHAR_LENGTH(user_id) > 16 THEN '...' ELSE '' END, 'NULL')
      || ' ' || 'team_id=' || COALESCE(REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_EXTRACT(team_id, '(?s)^.{0,16}', 0), '[0-9]', '0'), '[^\p{Punct} 0]', 'x') || CASE WHEN CHAR_LENGTH(team_id) > 16 THEN '...' ELSE '' END, 'NULL')
      || ' ' || 'score=' || COALESCE(CAST(score AS STRING), 'NULL')
      || ' ' || 'event_time_millis=' || COALESCE(CAST(event_time_millis AS STRING), 'NULL') AS example
  FROM `decoded_events`
  WHERE (user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 100000000000 AND event_time_millis < 10000000000000
  AND score >= 0 AND score <= 9007199254740991) IS NOT TRUE
), of_invalid AS (
  SELECT
    slot_start,
    1 AS uncounted_events,
    CASE WHEN reason = 'no_user' THEN 1 ELSE 0 END AS uncounted_no_user,
    CASE WHEN reason = 'id_too_long' THEN 1 ELSE 0 END AS uncounted_id_too_long,
    CASE WHEN reason = 'no_team' THEN 1 ELSE 0 END AS uncounted_no_team,
    CASE WHEN reason = 'no_event_id' THEN 1 ELSE 0 END AS uncounted_no_event_id,
    CASE WHEN reason = 'no_time' THEN 1 ELSE 0 END AS uncounted_no_time,
    CASE WHEN reason = 'time_out_of_range' THEN 1 ELSE 0 END AS uncounted_time_out_of_range,
    CASE WHEN reason = 'no_score' THEN 1 ELSE 0 END AS uncounted_no_score,
    CASE WHEN reason = 'score_out_of_range' THEN 1 ELSE 0 END AS uncounted_score_out_of_range,
    dated || text AS uncounted_reason,
    CASE WHEN reason = 'no_user' THEN dated || example END AS example_no_user,
    CASE WHEN reason = 'id_too_long' THEN dated || example END AS example_id_too_long,
    CASE WHEN reason = 'no_team' THEN dated || example END AS example_no_team,
    CASE WHEN reason = 'no_event_id' THEN dated || example END AS example_no_event_id,
    CASE WHEN reason = 'no_time' THEN dated || example END AS example_no_time,
    CASE WHEN reason = 'time_out_of_range' THEN dated || example END AS example_time_out_of_range,
    CASE WHEN reason = 'no_score' THEN dated || example END AS example_no_score,
    CASE WHEN reason = 'score_out_of_range' THEN dated || example END AS example_score_out_of_range
  FROM invalid
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
    END AS undecodable_messages,
    -- Only of what does not look like an object or an array: decoding every message would cost too much.
    CASE
      WHEN content NOT LIKE '{%}' AND content NOT LIKE '[%]' AND (content IS NOT JSON OR content IS JSON SCALAR)
        THEN CAST(1000000000000000000 + 1000 * EXTRACT(EPOCH FROM produced_at)
          + EXTRACT(MILLISECOND FROM produced_at) AS STRING) || REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_EXTRACT(content, '(?s)^.{0,80}', 0), '[0-9]', '0'), '[^\p{Punct} 0]', 'x') || CASE WHEN CHAR_LENGTH(content) > 80 THEN '...' ELSE '' END
    END AS example_malformed
  FROM messages
), of_windows AS (
  SELECT
    1000 * EXTRACT(EPOCH FROM window_start) AS slot_start,
    COUNT(DISTINCT user_id) AS active_players,
    COUNT(DISTINCT team_id) AS active_teams
  FROM TABLE(TUMBLE(TABLE `valid_events`, DESCRIPTOR(event_time), INTERVAL '5' SECOND))
  WHERE event_time > arrived_at - INTERVAL '0 00:00:05' DAY TO SECOND
  GROUP BY window_start, window_end
), parts AS (
  SELECT
    slot_start,
    CAST(events AS BIGINT) AS events,
    CAST(late_events AS BIGINT) AS late_events,
    CAST(robot_events AS BIGINT) AS robot_events,
    CAST(0 AS BIGINT) AS uncounted_events,
    CAST(undecodable_messages AS BIGINT) AS undecodable_messages,
    CAST(0 AS BIGINT) AS active_players,
    CAST(0 AS BIGINT) AS active_teams,
    CAST(0 AS BIGINT) AS uncounted_no_user,
    CAST(0 AS BIGINT) AS uncounted_id_too_long,
    CAST(0 AS BIGINT) AS uncounted_no_team,
    CAST(0 AS BIGINT) AS uncounted_no_event_id,
    CAST(0 AS BIGINT) AS uncounted_no_time,
    CAST(0 AS BIGINT) AS uncounted_time_out_of_range,
    CAST(0 AS BIGINT) AS uncounted_no_score,
    CAST(0 AS BIGINT) AS uncounted_score_out_of_range,
    CAST(0 AS BIGINT) AS duplicate_events,
    CAST(0 AS BIGINT) AS frozen_events,
    CAST(newest_event_time AS BIGINT) AS newest_event_time,
    CAST(NULL AS STRING) AS uncounted_reason,
    CAST(NULL AS STRING) AS example_malformed,
    CAST(NULL AS STRING) AS example_no_user,
    CAST(NULL AS STRING) AS example_id_too_long,
    CAST(NULL AS STRING) AS example_no_team,
    CAST(NULL AS STRING) AS example_no_event_id,
    CAST(NULL AS STRING) AS example_no_time,
    CAST(NULL AS STRING) AS example_time_out_of_range,
    CAST(NULL AS STRING) AS example_no_score,
    CAST(NULL AS STRING) AS example_score_out_of_range,
    CAST(NULL AS STRING) AS example_duplicate,
    CAST(NULL AS STRING) AS example_frozen
  FROM of_events
  UNION ALL
  SELECT
    slot_start,
    CAST(0 AS BIGINT) AS events,
    CAST(0 AS BIGINT) AS late_events,
    CAST(0 AS BIGINT) AS robot_events,
    CAST(uncounted_events AS BIGINT) AS uncounted_events,
    CAST(0 AS BIGINT) AS undecodable_messages,
    CAST(0 AS BIGINT) AS active_players,
    CAST(0 AS BIGINT) AS active_teams,
    CAST(uncounted_no_user AS BIGINT) AS uncounted_no_user,
    CAST(uncounted_id_too_long AS BIGINT) AS uncounted_id_too_long,
    CAST(uncounted_no_team AS BIGINT) AS uncounted_no_team,
    CAST(uncounted_no_event_id AS BIGINT) AS uncounted_no_event_id,
    CAST(uncounted_no_time AS BIGINT) AS uncounted_no_time,
    CAST(uncounted_time_out_of_range AS BIGINT) AS uncounted_time_out_of_range,
    CAST(uncounted_no_score AS BIGINT) AS uncounted_no_score,
    CAST(uncounted_score_out_of_range AS BIGINT) AS uncounted_score_out_of_range,
    CAST(0 AS BIGINT) AS duplicate_events,
    CAST(0 AS BIGINT) AS frozen_events,
    CAST(NULL AS BIGINT) AS newest_event_time,
    CAST(uncounted_reason AS STRING) AS uncounted_reason,
    CAST(NULL AS STRING) AS example_malformed,
    CAST(example_no_user AS STRING) AS example_no_user,
    CAST(example_id_too_long AS STRING) AS example_id_too_long,
    CAST(example_no_team AS STRING) AS example_no_team,
    CAST(example_no_event_id AS STRING) AS example_no_event_id,
    CAST(example_no_time AS STRING) AS example_no_time,
    CAST(example_time_out_of_range AS STRING) AS example_time_out_of_range,
    CAST(example_no_score AS STRING) AS example_no_score,
    CAST(example_score_out_of_range AS STRING) AS example_score_out_of_range,
    CAST(NULL AS STRING) AS example_duplicate,
    CAST(NULL AS STRING) AS example_frozen
  FROM of_invalid
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
    CAST(0 AS BIGINT) AS uncounted_no_user,
    CAST(0 AS BIGINT) AS uncounted_id_too_long,
    CAST(0 AS BIGINT) AS uncounted_no_team,
    CAST(0 AS BIGINT) AS uncounted_no_event_id,
    CAST(0 AS BIGINT) AS uncounted_no_time,
    CAST(0 AS BIGINT) AS uncounted_time_out_of_range,
    CAST(0 AS BIGINT) AS uncounted_no_score,
    CAST(0 AS BIGINT) AS uncounted_score_out_of_range,
    CAST(0 AS BIGINT) AS duplicate_events,
    CAST(0 AS BIGINT) AS frozen_events,
    CAST(NULL AS BIGINT) AS newest_event_time,
    CAST(NULL AS STRING) AS uncounted_reason,
    CAST(example_malformed AS STRING) AS example_malformed,
    CAST(NULL AS STRING) AS example_no_user,
    CAST(NULL AS STRING) AS example_id_too_long,
    CAST(NULL AS STRING) AS example_no_team,
    CAST(NULL AS STRING) AS example_no_event_id,
    CAST(NULL AS STRING) AS example_no_time,
    CAST(NULL AS STRING) AS example_time_out_of_range,
    CAST(NULL AS STRING) AS example_no_score,
    CAST(NULL AS STRING) AS example_score_out_of_range,
    CAST(NULL AS STRING) AS example_duplicate,
    CAST(NULL AS STRING) AS example_frozen
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
    CAST(0 AS BIGINT) AS uncounted_no_user,
    CAST(0 AS BIGINT) AS uncounted_id_too_long,
    CAST(0 AS BIGINT) AS uncounted_no_team,
    CAST(0 AS BIGINT) AS uncounted_no_event_id,
    CAST(0 AS BIGINT) AS uncounted_no_time,
    CAST(0 AS BIGINT) AS uncounted_time_out_of_range,
    CAST(0 AS BIGINT) AS uncounted_no_score,
    CAST(0 AS BIGINT) AS uncounted_score_out_of_range,
    CAST(0 AS BIGINT) AS duplicate_events,
    CAST(0 AS BIGINT) AS frozen_events,
    CAST(NULL AS BIGINT) AS newest_event_time,
    CAST(NULL AS STRING) AS uncounted_reason,
    CAST(NULL AS STRING) AS example_malformed,
    CAST(NULL AS STRING) AS example_no_user,
    CAST(NULL AS STRING) AS example_id_too_long,
    CAST(NULL AS STRING) AS example_no_team,
    CAST(NULL AS STRING) AS example_no_event_id,
    CAST(NULL AS STRING) AS example_no_time,
    CAST(NULL AS STRING) AS example_time_out_of_range,
    CAST(NULL AS STRING) AS example_no_score,
    CAST(NULL AS STRING) AS example_score_out_of_range,
    CAST(NULL AS STRING) AS example_duplicate,
    CAST(NULL AS STRING) AS example_frozen
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
  SUM(uncounted_no_user) AS uncounted_no_user,
  SUM(uncounted_id_too_long) AS uncounted_id_too_long,
  SUM(uncounted_no_team) AS uncounted_no_team,
  SUM(uncounted_no_event_id) AS uncounted_no_event_id,
  SUM(uncounted_no_time) AS uncounted_no_time,
  SUM(uncounted_time_out_of_range) AS uncounted_time_out_of_range,
  SUM(uncounted_no_score) AS uncounted_no_score,
  SUM(uncounted_score_out_of_range) AS uncounted_score_out_of_range,
  SUM(duplicate_events) AS duplicate_events,
  SUM(frozen_events) AS frozen_events,
  MAX(newest_event_time) AS newest_event_time,
  SUBSTRING(MAX(uncounted_reason) FROM 20) AS uncounted_reason,
  SUBSTRING(MAX(example_malformed) FROM 20) AS example_malformed,
  SUBSTRING(MAX(example_no_user) FROM 20) AS example_no_user,
  SUBSTRING(MAX(example_id_too_long) FROM 20) AS example_id_too_long,
  SUBSTRING(MAX(example_no_team) FROM 20) AS example_no_team,
  SUBSTRING(MAX(example_no_event_id) FROM 20) AS example_no_event_id,
  SUBSTRING(MAX(example_no_time) FROM 20) AS example_no_time,
  SUBSTRING(MAX(example_time_out_of_range) FROM 20) AS example_time_out_of_range,
  SUBSTRING(MAX(example_no_score) FROM 20) AS example_no_score,
  SUBSTRING(MAX(example_score_out_of_range) FROM 20) AS example_score_out_of_range,
  SUBSTRING(MAX(example_duplicate) FROM 20) AS example_duplicate,
  SUBSTRING(MAX(example_frozen) FROM 20) AS example_frozen
FROM parts
GROUP BY slot_start;

INSERT INTO `top-teams` (season_start, digest, `rows`)
SELECT
  season_start,
  '7567299b',
  ARRAY_AGG(ROW(`rnk`, `team_id`, `team_name`, `total_score`, `last_event_at`))
FROM (
  SELECT *
  FROM (
WITH plays AS (
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    user_id,
    team_id,
    dated_team_name,
    produced_at_millis,
    score AS points
  FROM `valid_events`
), totals AS (
  SELECT /*+ STATE_TTL('plays' = '14400000 ms') */
    season_start,
    team_id,
    SUBSTRING(MAX(dated_team_name) FROM 20) AS team_name,
    SUM(points) AS total_score,
    MAX(produced_at_millis) AS last_event_at
  FROM plays
  GROUP BY season_start, team_id
), ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY total_score DESC, team_id) AS rnk
  FROM totals
)
SELECT season_start, rnk, team_id, team_name, total_score, last_event_at
FROM ranked
  ) AS ranked (`season_start`, `rnk`, `team_id`, `team_name`, `total_score`, `last_event_at`)
  WHERE rnk <= 16
)
GROUP BY season_start;

INSERT INTO `top-players` (season_start, digest, `rows`)
SELECT
  season_start,
  '771a7f8e',
  ARRAY_AGG(ROW(`rnk`, `user_id`, `team_name`, `total_score`, `last_event_at`))
FROM (
  SELECT *
  FROM (
WITH plays AS (
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    user_id,
    team_id,
    dated_team_name,
    produced_at_millis,
    score AS points
  FROM `valid_events`
), totals AS (
  SELECT /*+ STATE_TTL('plays' = '14400000 ms') */
    season_start,
    user_id,
    SUBSTRING(MAX(dated_team_name) FROM 20) AS team_name,
    SUM(points) AS total_score,
    MAX(produced_at_millis) AS last_event_at
  FROM plays
  GROUP BY season_start, user_id
), ranked AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY total_score DESC, user_id) AS rnk
  FROM totals
)
SELECT season_start, rnk, user_id, team_name, total_score, last_event_at
FROM ranked
  ) AS ranked (`season_start`, `rnk`, `user_id`, `team_name`, `total_score`, `last_event_at`)
  WHERE rnk <= 16
)
GROUP BY season_start;

INSERT INTO `hot-streakers` (season_start, digest, as_of, `rows`)
SELECT
  CAST(0 AS BIGINT),
  'bb1ad04e',
  1000 * EXTRACT(EPOCH FROM window_end),
  ARRAY_AGG(ROW(`rnk`, `user_id`, `team_name`, `short_term_avg`, `long_term_avg`, `peak_hotness`, `peak_at`))
FROM (
-- At each instant t, a multiple of 5 s in event time: hotness of a player = average
-- score in [t - 10 s, t) / average score in [t - 60 s, t)
-- the board at t ranks each player's highest hotness of the last 300 s; a team's name is
-- that of the short window. Events that reached Kafka too late for the windows are left out by their own
-- timestamps, so that the board does not depend on the order in which partitions are read.
WITH slices AS (
  SELECT window_time AS slice_time, user_id, MAX(dated_team_name) AS dated_team_name, SUM(score) AS total, COUNT(*) AS events
  FROM TABLE(TUMBLE(TABLE `valid_events`, DESCRIPTOR(event_time), INTERVAL '0 00:00:05' DAY TO SECOND))
  WHERE event_time > arrived_at - INTERVAL '0 00:00:05' DAY TO SECOND
  GROUP BY window_start, window_end, window_time, user_id
), recent_totals AS (
  -- Only players with events in the short window have a hotness: a row for each of them and each instant,
  -- with what is new since the instant before. The long window is the sum of what was new; as a HOP of its
  -- own it would make a row at each instant for everyone who played within it, and most of them have no
  -- hotness.
  SELECT
    window_time AS instant,
    user_id,
    MAX(dated_team_name) AS dated_team_name,
    SUM(total) AS short_total,
    SUM(events) AS short_events,
    SUM(total) FILTER (WHERE slice_time >= window_end - INTERVAL '0 00:00:05' DAY TO SECOND) AS new_total,
    SUM(events) FILTER (WHERE slice_time >= window_end - INTERVAL '0 00:00:05' DAY TO SECOND) AS new_events
  FROM TABLE(HOP(TABLE slices, DESCRIPTOR(slice_time), INTERVAL '0 00:00:05' DAY TO SECOND, INTERVAL '0 00:00:10' DAY TO SECOND))
  GROUP BY window_start, window_end, window_time, user_id
), averages AS (
  SELECT
    instant,
    user_id,
    dated_team_name,
    CAST(short_total AS DOUBLE) / CAST(short_events AS DOUBLE) AS short_avg,
    CAST(SUM(new_total) OVER long_window AS DOUBLE) / CAST(SUM(new_events) OVER long_window AS DOUBLE) AS long_avg
  FROM recent_totals
  WINDOW long_window AS (
    PARTITION BY user_id ORDER BY instant RANGE BETWEEN INTERVAL '0 00:00:55' DAY TO SECOND PRECEDING AND CURRENT ROW
  )
), instant_hotness AS (
  SELECT
    instant,
    user_id,
    dated_team_name,
    short_avg,
    long_avg,
    short_avg / long_avg AS hotness,
    ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY short_avg / long_avg DESC, user_id) AS instant_rank
  FROM TABLE(TUMBLE(TABLE averages, DESCRIPTOR(instant), INTERVAL '0 00:00:05' DAY TO SECOND))
  WHERE long_avg > 0
), top_per_instant AS (
  -- A player outside the top ranks at its own peak stays outside them while that peak is remembered, so only
  -- the top ranks of each instant are kept.
  SELECT instant, user_id, dated_team_name, short_avg, long_avg, hotness
  FROM instant_hotness
  WHERE instant_rank <= 16
), peak_window AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY window_start, window_end, user_id ORDER BY hotness DESC, instant DESC
    ) AS peak_rank
  FROM TABLE(HOP(TABLE top_per_instant, DESCRIPTOR(instant), INTERVAL '0 00:00:05' DAY TO SECOND, INTERVAL '0 00:05:00' DAY TO SECOND))
), ranked AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY hotness DESC, user_id) AS rnk
  FROM peak_window
  WHERE peak_rank = 1
)
SELECT
  window_start,
  window_end,
  rnk,
  user_id,
  SUBSTRING(dated_team_name FROM 20) AS team_name,
  short_avg AS short_term_avg,
  long_avg AS long_term_avg,
  hotness AS peak_hotness,
  -- An instant is a window's last millisecond.
  1000 * (EXTRACT(EPOCH FROM instant) + 1) AS peak_at
FROM ranked
)
WHERE rnk <= 16
GROUP BY window_start, window_end;

INSERT INTO `team-mvps` (season_start, digest, `rows`)
SELECT
  season_start,
  '3a4088e1',
  ARRAY_AGG(ROW(`rnk`, `user_id`, `team_id`, `team_name`, `player_total`, `team_total`, `contrib_ratio`, `last_event_at`))
FROM (
  SELECT *
  FROM (
-- Every step has one input, so at the end of a mini-batch the board is that of all events before it, and of
-- no others. A join would mix what it has read of one side with what it has not yet read of the other.
WITH plays AS (
  -- Each event, with its player's total up to it.
  SELECT
    event_time_millis - MOD(event_time_millis, 3600000) AS season_start,
    team_id,
    user_id,
    dated_team_name,
    score,
    produced_at_millis,
    SUM(score) OVER (
      PARTITION BY event_time_millis - MOD(event_time_millis, 3600000), team_id, user_id ORDER BY read_at ROWS UNBOUNDED PRECEDING
    ) AS player_total
  FROM `valid_events`
), teams AS (
  -- A team's best player has the largest total, then the smallest id. That is the smallest text of what the
  -- total lacks to 2^62, which always has 19 digits, followed by the id.
  SELECT /*+ STATE_TTL('plays' = '14400000 ms') */
    season_start,
    team_id,
    SUBSTRING(MAX(dated_team_name) FROM 20) AS team_name,
    GREATEST(-9007199254740991, LEAST(9007199254740991, SUM(score))) AS team_total,
    MAX(GREATEST(-9007199254740991, LEAST(9007199254740991, player_total))) AS player_total,
    MIN(CAST(4611686018427387904 - GREATEST(-9007199254740991, LEAST(9007199254740991, player_total)) AS STRING) || user_id) AS best_player,
    MAX(produced_at_millis) AS last_event_at
  FROM plays
  GROUP BY season_start, team_id
  HAVING COUNT(*) >= 10
), entries AS (
  -- A team as a text, which orders like the board: by the share in steps of 2^-62, by the player's total, by
  -- the team's id. Ids and names follow in hexadecimal digits, because they may contain any character.
  SELECT
    season_start,
    MOD(HASH_CODE(team_id), 512) AS bucket,
    CONCAT(
      CAST(9223372036854775807 - CAST(CASE WHEN team_total > 0 THEN CAST(GREATEST(0, LEAST(player_total, team_total)) AS DOUBLE) / CAST(team_total AS DOUBLE) ELSE CAST(0 AS DOUBLE) END * 4611686018427387904 AS BIGINT) AS STRING),
      SUBSTRING(best_player FROM 1 FOR 19),
      HEX(team_id),
      ' ',
      CAST(team_total AS STRING),
      ' ',
      CAST(last_event_at AS STRING),
      ' ',
      HEX(SUBSTRING(best_player FROM 20)),
      ' ',
      COALESCE('=' || HEX(team_name), '')
    ) AS entry
  FROM teams
), bucket_boards AS (
  -- Shares also fall, and Flink's Top-N of values that fall reads and writes all rows of a partition for each
  -- change. Sorting small buckets once per mini-batch costs a fraction of it.
  SELECT /*+ STATE_TTL('entries' = '14400000 ms') */
    season_start,
    ARRAY_JOIN(ARRAY_SLICE(ARRAY_SORT(ARRAY_AGG(entry)), 1, 16), ',') AS entries
  FROM entries
  GROUP BY season_start, bucket
), boards AS (
  SELECT /*+ STATE_TTL('bucket_boards' = '14400000 ms') */
    season_start,
    ARRAY_SLICE(ARRAY_SORT(SPLIT(ARRAY_JOIN(ARRAY_AGG(entries), ','), ',')), 1, 16) AS entries
  FROM bucket_boards
  GROUP BY season_start
), ranked AS (
  SELECT
    season_start,
    CAST(rnk AS BIGINT) AS rnk,
    DECODE(UNHEX(SUBSTRING(SPLIT_INDEX(entry, ' ', 0) FROM 39)), 'UTF-8') AS team_id,
    4611686018427387904 - CAST(SUBSTRING(entry FROM 20 FOR 19) AS BIGINT) AS player_total,
    CAST(SPLIT_INDEX(entry, ' ', 1) AS BIGINT) AS team_total,
    CAST(SPLIT_INDEX(entry, ' ', 2) AS BIGINT) AS last_event_at,
    DECODE(UNHEX(SPLIT_INDEX(entry, ' ', 3)), 'UTF-8') AS user_id,
    DECODE(UNHEX(SUBSTRING(NULLIF(SPLIT_INDEX(entry, ' ', 4), '') FROM 2)), 'UTF-8') AS team_name
  FROM boards
  CROSS JOIN UNNEST(entries) WITH ORDINALITY AS places (entry, rnk)
)
SELECT season_start, rnk, user_id, team_id, team_name, player_total, team_total, CASE WHEN team_total > 0 THEN CAST(GREATEST(0, LEAST(player_total, team_total)) AS DOUBLE) / CAST(team_total AS DOUBLE) ELSE CAST(0 AS DOUBLE) END AS contrib_ratio, last_event_at
FROM ranked
  ) AS ranked (`season_start`, `rnk`, `user_id`, `team_id`, `team_name`, `player_total`, `team_total`, `contrib_ratio`, `last_event_at`)
  WHERE rnk <= 16
)
GROUP BY season_start;

END;