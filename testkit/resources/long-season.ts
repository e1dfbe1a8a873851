const HOUR_MILLIS = 3_600_000;

/** The length of a season that does not end within the next hours, at whatever time of day the tests run. */
export function longSeason(now = Date.now()): string {
  const hoursLeft = (hours: number) => hours - ((now / HOUR_MILLIS) % hours);
  const [longest] = [7, 8, 9, 10, 11, 12].sort((a, b) => hoursLeft(b) - hoursLeft(a));
  return `${longest}h`;
}
