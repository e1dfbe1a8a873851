-- What a SQL session over the pipeline of minimal has: the tables of its job, which here end where
-- their topics end, and views of them for people, whose times are timestamps.

-- Queries come to an end, and have rows but no changes of rows.
SET 'execution.runtime-mode' = 'batch';
SET 'table.local-time-zone' = 'UTC';
-- An INSERT ends when it has written.
SET 'table.dml-sync' = 'true';

CREATE CATALOG game_analytics WITH ('type' = 'generic_in_memory', 'default-database' = 'pipeline');
USE CATALOG game_analytics;
CREATE DATABASE job;
USE job;

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
  'properties.group.id' = 'minimal.flink-session',
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
-- A query of a session ends at the topic's end, and reads events in the order of Kafka's time.
ALTER TABLE `raw_events` SET ('scan.bounded.mode' = 'latest-offset');
ALTER TABLE `raw_events` MODIFY `$read_at` AS `$produced_at`;

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

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0.
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

-- The same records in the order in which the job wrote them. A query that comes to an end takes no changes,
-- such as those of upsert-kafka.
CREATE TABLE `top-teams_records` (
  `$offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `$written_at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'key.fields' = 'season_start',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
) LIKE `top-teams` (EXCLUDING CONSTRAINTS OVERWRITING OPTIONS);
-- What of them deletes a board has no value, which the format of the others passes over.
CREATE TABLE `top-teams_deletions` (
  season_start BIGINT,
  content STRING,
  `$offset` BIGINT METADATA FROM 'offset' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-top-teams',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'key.fields' = 'season_start',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
);

-- The newest record of each key.
CREATE VIEW `top-teams_newest` AS
SELECT record.*
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY `$offset` DESC) AS `$recency`
  FROM `top-teams_records`
  WHERE digest = '7c514586'
) AS record
LEFT JOIN (
  SELECT season_start, MAX(`$offset`) AS `$deleted`
  FROM `top-teams_deletions`
  WHERE content IS NULL
  GROUP BY season_start
) AS deletion
ON record.season_start = deletion.season_start
WHERE `$recency` = 1 AND (`$deleted` IS NULL OR `$deleted` < `$offset`);

-- The boards of all seasons that the topic has, and that of the newest one that has begun.
CREATE VIEW pipeline.`top_teams_seasons` AS
SELECT
  TO_TIMESTAMP_LTZ(record.season_start, 3) AS season_start,
  ranked.`rnk` AS `rnk`,
  ranked.`team_id` AS `team_id`,
  ranked.`team_name` AS `team_name`,
  ranked.`total_score` AS `total_score`,
  TO_TIMESTAMP_LTZ(ranked.`last_event_at`, 3) AS `last_event_at`
FROM `top-teams_newest` AS record
CROSS JOIN UNNEST(record.`rows`) AS ranked (`rnk`, `team_id`, `team_name`, `total_score`, `last_event_at`)
WHERE ranked.rnk <= 10
ORDER BY season_start DESC, rnk;

CREATE VIEW pipeline.`top_teams` AS
SELECT *
FROM pipeline.`top_teams_seasons`
WHERE season_start = (
  SELECT MAX(season_start) FROM pipeline.`top_teams_seasons` WHERE season_start <= CURRENT_TIMESTAMP
)
ORDER BY rnk;

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0.
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

-- The same records in the order in which the job wrote them. A query that comes to an end takes no changes,
-- such as those of upsert-kafka.
CREATE TABLE `top-players_records` (
  `$offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `$written_at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'key.fields' = 'season_start',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
) LIKE `top-players` (EXCLUDING CONSTRAINTS OVERWRITING OPTIONS);
-- What of them deletes a board has no value, which the format of the others passes over.
CREATE TABLE `top-players_deletions` (
  season_start BIGINT,
  content STRING,
  `$offset` BIGINT METADATA FROM 'offset' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-top-players',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'key.fields' = 'season_start',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
);

-- The newest record of each key.
CREATE VIEW `top-players_newest` AS
SELECT record.*
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY `$offset` DESC) AS `$recency`
  FROM `top-players_records`
  WHERE digest = '4757ad81'
) AS record
LEFT JOIN (
  SELECT season_start, MAX(`$offset`) AS `$deleted`
  FROM `top-players_deletions`
  WHERE content IS NULL
  GROUP BY season_start
) AS deletion
ON record.season_start = deletion.season_start
WHERE `$recency` = 1 AND (`$deleted` IS NULL OR `$deleted` < `$offset`);

-- The boards of all seasons that the topic has, and that of the newest one that has begun.
CREATE VIEW pipeline.`top_players_seasons` AS
SELECT
  TO_TIMESTAMP_LTZ(record.season_start, 3) AS season_start,
  ranked.`rnk` AS `rnk`,
  ranked.`user_id` AS `user_id`,
  ranked.`team_name` AS `team_name`,
  ranked.`total_score` AS `total_score`,
  TO_TIMESTAMP_LTZ(ranked.`last_event_at`, 3) AS `last_event_at`
FROM `top-players_newest` AS record
CROSS JOIN UNNEST(record.`rows`) AS ranked (`rnk`, `user_id`, `team_name`, `total_score`, `last_event_at`)
WHERE ranked.rnk <= 10
ORDER BY season_start DESC, rnk;

CREATE VIEW pipeline.`top_players` AS
SELECT *
FROM pipeline.`top_players_seasons`
WHERE season_start = (
  SELECT MAX(season_start) FROM pipeline.`top_players_seasons` WHERE season_start <= CURRENT_TIMESTAMP
)
ORDER BY rnk;

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0.
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

-- The same records in the order in which the job wrote them. A query that comes to an end takes no changes,
-- such as those of upsert-kafka.
CREATE TABLE `hot-streakers_records` (
  `$offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `$written_at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'key.fields' = 'season_start',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
) LIKE `hot-streakers` (EXCLUDING CONSTRAINTS OVERWRITING OPTIONS);
-- The newest instant. A job that was restored computes earlier ones again.
CREATE VIEW `hot-streakers_newest` AS
SELECT *
FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY as_of DESC, `$offset` DESC) AS `$recency`
  FROM `hot-streakers_records`
  WHERE digest = '7138b676'
)
WHERE `$recency` = 1;

CREATE VIEW pipeline.`hot_streakers` AS
SELECT
  TO_TIMESTAMP_LTZ(record.as_of, 3) AS as_of,
  ranked.`rnk` AS `rnk`,
  ranked.`user_id` AS `user_id`,
  ranked.`team_name` AS `team_name`,
  ranked.`short_term_avg` AS `short_term_avg`,
  ranked.`long_term_avg` AS `long_term_avg`,
  ranked.`peak_hotness` AS `peak_hotness`,
  TO_TIMESTAMP_LTZ(ranked.`peak_at`, 3) AS `peak_at`
FROM `hot-streakers_newest` AS record
CROSS JOIN UNNEST(record.`rows`) AS ranked (`rnk`, `user_id`, `team_name`, `short_term_avg`, `long_term_avg`, `peak_hotness`, `peak_at`)
WHERE ranked.rnk <= 10
ORDER BY rnk;

-- A board: one record per season holds all of its ranks, so a reader never sees half of a change. Boards
-- without seasons have one record, under season_start 0.
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

-- The same records in the order in which the job wrote them. A query that comes to an end takes no changes,
-- such as those of upsert-kafka.
CREATE TABLE `team-mvps_records` (
  `$offset` BIGINT METADATA FROM 'offset' VIRTUAL,
  `$written_at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'key.fields' = 'season_start',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
) LIKE `team-mvps` (EXCLUDING CONSTRAINTS OVERWRITING OPTIONS);
-- What of them deletes a board has no value, which the format of the others passes over.
CREATE TABLE `team-mvps_deletions` (
  season_start BIGINT,
  content STRING,
  `$offset` BIGINT METADATA FROM 'offset' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = 'minimal-team-mvps',
  'properties.bootstrap.servers' = 'games-kafka-bootstrap:9092',
  'key.format' = 'json',
  'key.fields' = 'season_start',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset'
);

-- The newest record of each key.
CREATE VIEW `team-mvps_newest` AS
SELECT record.*
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY season_start ORDER BY `$offset` DESC) AS `$recency`
  FROM `team-mvps_records`
  WHERE digest = '9bf83f5f'
) AS record
LEFT JOIN (
  SELECT season_start, MAX(`$offset`) AS `$deleted`
  FROM `team-mvps_deletions`
  WHERE content IS NULL
  GROUP BY season_start
) AS deletion
ON record.season_start = deletion.season_start
WHERE `$recency` = 1 AND (`$deleted` IS NULL OR `$deleted` < `$offset`);

-- The boards of all seasons that the topic has, and that of the newest one that has begun.
CREATE VIEW pipeline.`team_mvps_seasons` AS
SELECT
  TO_TIMESTAMP_LTZ(record.season_start, 3) AS season_start,
  ranked.`rnk` AS `rnk`,
  ranked.`user_id` AS `user_id`,
  ranked.`team_id` AS `team_id`,
  ranked.`team_name` AS `team_name`,
  ranked.`player_total` AS `player_total`,
  ranked.`team_total` AS `team_total`,
  ranked.`contrib_ratio` AS `contrib_ratio`,
  TO_TIMESTAMP_LTZ(ranked.`last_event_at`, 3) AS `last_event_at`
FROM `team-mvps_newest` AS record
CROSS JOIN UNNEST(record.`rows`) AS ranked (`rnk`, `user_id`, `team_id`, `team_name`, `player_total`, `team_total`, `contrib_ratio`, `last_event_at`)
WHERE ranked.rnk <= 10
ORDER BY season_start DESC, rnk;

CREATE VIEW pipeline.`team_mvps` AS
SELECT *
FROM pipeline.`team_mvps_seasons`
WHERE season_start = (
  SELECT MAX(season_start) FROM pipeline.`team_mvps_seasons` WHERE season_start <= CURRENT_TIMESTAMP
)
ORDER BY rnk;

USE pipeline;

-- The records as events, and why those that are invalid are.
CREATE VIEW events AS
SELECT
  `user_id`,
  `team_id`,
  `team_name`,
  `score`,
  `event_time_millis`,
  event_time,
  produced_at,
  CASE WHEN (user_id <> '' AND CHAR_LENGTH(user_id) <= 256
  AND team_id <> '' AND CHAR_LENGTH(team_id) <= 256
  AND event_time_millis >= 100000000000 AND event_time_millis < 10000000000000
  AND score >= 0 AND score <= 9007199254740991) IS NOT TRUE THEN CASE
      WHEN user_id IS NULL OR user_id = '' THEN 'user_id is missing, or no text'
      WHEN CHAR_LENGTH(user_id) > 256 THEN 'user_id has more than 256 characters'
      WHEN team_id IS NULL OR team_id = '' THEN 'team_id is missing, or no text'
      WHEN CHAR_LENGTH(team_id) > 256 THEN 'team_id has more than 256 characters'
      WHEN event_time_millis IS NULL THEN 'event_time_millis is missing, or no number'
      WHEN event_time_millis < 100000000000 OR event_time_millis >= 10000000000000 THEN 'event_time_millis is no time from 1973 to 2286 in milliseconds'
      WHEN score IS NULL THEN 'score is missing, or no number'
      ELSE 'score is not from 0 to 9007199254740991'
    END END AS invalid_because
FROM job.`decoded_events`;

-- The events that boards count, as their queries read them.
CREATE VIEW valid_events AS
SELECT * FROM job.`valid_events`;