/** Distances on the earth, taken as a ball: at most 0.6 % from those on the ground. */
const radius = 6_371_008.8

/** The metres between two points of longitude and latitude, by the haversine formula. */
export function metresSql(a: string, b: string): string {
  const half = (axis: 0 | 1) => `power(sind(((${a})[${axis}] - (${b})[${axis}]) / 2), 2)`
  const chord = `${half(1)} + cosd((${a})[1]) * cosd((${b})[1]) * ${half(0)}`
  // Not `least(1, …)`, which takes a place that is not there for one on the other side of the earth.
  return `(${2 * radius} * atan2(sqrt(${chord}), sqrt(greatest(0, 1 - (${chord})))))`
}

/** A box that holds every place within so many metres, as PostgreSQL reads one. */
export function boxAround(point: unknown, metres: number): string {
  const [longitude, latitude] = (point as { coordinates: [number, number] }).coordinates
  const degrees = (angle: number) => (angle * 180) / Math.PI
  // A little more than needed, for what rounding loses.
  const angle = (metres / radius) * 1.000_001 + 1e-9
  const [south, north] = [latitude - degrees(angle), latitude + degrees(angle)]
  const isBounded = south > -90 && north < 90
  const turn = isBounded ? degrees(Math.asin(Math.min(1, Math.sin(angle) / Math.cos((latitude * Math.PI) / 180)))) : 0
  const [west, east] = [longitude - turn, longitude + turn]
  // Around a pole, and across the line where the longitudes begin anew, every longitude may be near.
  const isBox = isBounded && west >= -180 && east <= 180
  return isBox ? `((${west},${south}),(${east},${north}))` : `((-Infinity,${south}),(Infinity,${north}))`
}
