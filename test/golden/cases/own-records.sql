-- The whole pipeline of game as one Flink job: one scan of the events, one statement set for all
-- boards.

SET 'table.local-time-zone' = 'UTC';
-- Totals of past seasons are forgotten this long after their last change.
SET 'table.exec.state.ttl' = '11400000 ms';
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
SET 'table.exec.uid.format' = '1-bc720158-<id>_<transformation>';

-- The game's records, as they are in Kafka. What cannot be read as a column's type is NULL (a number's
-- decimals are dropped, digits in quotes are a number); nothing in the topic can stop the job. The names that
-- begin with a dollar are none that a column of a record can have.
CREATE TABLE `raw_events` (
  `match-id` STRING,
  `player` BIGINT,
  `points` DECIMAL(18, 2),
  `at` STRING,
  -- When the record came to Kafka, or was made, as the topic's message.timestamp.type says: with it, being
  -- late is a fact of the topic's content and the same in every replay.
  `$produced_at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  -- When the job reads it: the order of what is not ordered by events' own times.
  `$read_at` AS PROCTIME(),
  -- An event cannot have happened after it came to Kafka: a clock that runs ahead must not close everyone
  -- else's windows. A topic of the user's own may have its producers' times, and nothing in it says which of
  -- them are ahead, but none can be of a time after the record is read.
  `$arrived_at` AS LEAST(`$produced_at`, CURRENT_ROW_TIMESTAMP()),
  `$event_time` AS COALESCE(LEAST(TO_TIMESTAMP_LTZ(CASE WHEN REGEXP(TRY_CAST((
`at`
) AS STRING), '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-][01]\d(:?[0-5]\d)?)?$') THEN
    1000 * EXTRACT(EPOCH FROM TO_TIMESTAMP_LTZ(
      SUBSTRING(TRY_CAST((
`at`
) AS STRING) FROM 1 FOR 10) || ' ' || SUBSTRING(TRY_CAST((
`at`
) AS STRING) FROM 12 FOR 8), 'yyyy-MM-dd HH:mm:ss', 'UTC'
    ))
    + TRY_CAST(SUBSTRING(COALESCE(REGEXP_EXTRACT(TRY_CAST((
`at`
) AS STRING), '[.,](\d+)', 1), '') || '000' FROM 1 FOR 3) AS INT)
    - 60000 * (60 * COALESCE(TRY_CAST(REGEXP_EXTRACT(TRY_CAST((
`at`
) AS STRING), '([+-]\d{2}):?(\d{2})?$', 1) AS INT), 0) + CASE WHEN TRY_CAST((
`at`
) AS STRING) LIKE '%-__:__' OR TRY_CAST((
`at`
) AS STRING) LIKE '%-____' THEN -1 ELSE 1 END * COALESCE(TRY_CAST(REGEXP_EXTRACT(TRY_CAST((
`at`
) AS STRING), '([+-]\d{2}):?(\d{2})?$', 2) AS INT), 0))
  END, 3), LEAST(`$produced_at`, CURRENT_ROW_TIMESTAMP())), LEAST(`$produced_at`, CURRENT_ROW_TIMESTAMP())),
  WATERMARK FOR `$event_time` AS `$event_time` - INTERVAL '0 00:00:05' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'matches',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
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
  'value.format' = 'csv',
  'value.csv.ignore-parse-errors' = 'true'
);

-- The records as events, valid or not.
CREATE VIEW `decoded_events` AS
SELECT
  TRY_CAST((
player
) AS STRING) AS `user_id`,
  CAST(NULL AS STRING) AS `team_id`,
  CAST(NULL AS STRING) AS `team_name`,
  CASE WHEN RAND() < 2 THEN TRY_CAST((
points * 100 -- cents
) AS BIGINT) END AS `score`,
  CASE WHEN REGEXP(TRY_CAST((
`at`
) AS STRING), '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?([Zz]|[+-][01]\d(:?[0-5]\d)?)?$') THEN
    1000 * EXTRACT(EPOCH FROM TO_TIMESTAMP_LTZ(
      SUBSTRING(TRY_CAST((
`at`
) AS STRING) FROM 1 FOR 10) || ' ' || SUBSTRING(TRY_CAST((
`at`
) AS STRING) FROM 12 FOR 8), 'yyyy-MM-dd HH:mm:ss', 'UTC'
    ))
    + TRY_CAST(SUBSTRING(COALESCE(REGEXP_EXTRACT(TRY_CAST((
`at`
) AS STRING), '[.,](\d+)', 1), '') || '000' FROM 1 FOR 3) AS INT)
    - 60000 * (60 * COALESCE(TRY_CAST(REGEXP_EXTRACT(TRY_CAST((
`at`
) AS STRING), '([+-]\d{2}):?(\d{2})?$', 1) AS INT), 0) + CASE WHEN TRY_CAST((
`at`
) AS STRING) LIKE '%-__:__' OR TRY_CAST((
`at`
) AS STRING) LIKE '%-____' THEN -1 ELSE 1 END * COALESCE(TRY_CAST(REGEXP_EXTRACT(TRY_CAST((
`at`
) AS STRING), '([+-]\d{2}):?(\d{2})?$', 2) AS INT), 0))
  END AS `event_time_millis`,
  TRY_CAST((
`match-id`
) AS STRING) AS `event_id`,
  `match-id`,
  `player`,
  `points`,
  `at`,
  `$event_time` AS event_time,
  `$produced_at` AS produced_at,
  `$arrived_at` AS arrived_at,
  1000 * EXTRACT(EPOCH FROM `$produced_at`) + EXTRACT(MILLISECOND FROM `$produced_at`) AS produced_at_millis,
  `$read_at` AS read_at
FROM `raw_events`;

-- The valid events, each with Kafka's time of the one before it that has the same id.
CREATE VIEW `identified_events` AS
SELECT *, LAG(produced_at_millis) OVER (PARTITION BY event_id ORDER BY read_at) AS previous_at_millis
FROM `decoded_events`
WHERE user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND event_id <> '' AND CHAR_LENGTH(event_id) <= 256
  AND event_time_millis >= 100000000000 AND event_time_millis < 10000000000000
  AND score >= 0 AND score <= 9007199254740991;

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
  event_id,
  `match-id`,
  `player`,
  `points`,
  `at`,
  event_time,
  produced_at,
  arrived_at,
  produced_at_millis,
  read_at,
  -- The greatest of these texts has the newest name, after 19 digits.
  CAST(1000000000000000000 + LEAST(event_time_millis, produced_at_millis) AS STRING) || LEFT(team_name, 256) AS dated_team_name
FROM `identified_events`
WHERE previous_at_millis IS NULL OR produced_at_millis - previous_at_millis >= 600000;

