/** Distances on the earth, taken as a ball: at most 0.6 % from those on the ground. */
const radius = 6_371_008.8

/** The metres between two points of longitude and latitude, by the haversine formula. */
export function metresSql(a: string, b: string): string {
  const half = (axis: 0 | 1) => `power(sind(((${a})[${axis}] - (${b})[${axis}]) / 2), 2)`
  const chord = `${half(1)} + cosd((${a})[1]) * cosd((${b})[1]) * ${half(0)}`
  // Not `least(1, …)`, which takes a place that is not there for one on the other side of the earth.
  return `(${2 * radius} * atan2(sqrt(${chord}), sqrt(greatest(0, 1 - (${chord})))))`
}

/**
 * A box that holds every place within so many metres of a point. Around a pole, and across the line where the longitudes
 * begin anew, every longitude may be near; of a point that is nowhere on the earth, every place may be.
 */
export function boxAroundSql(point: string, metres: string): string {
  const [longitude, latitude] = [`(${point})[0]`, `(${point})[1]`]
  // A little more than needed, for what rounding loses.
  const angle = `(${metres} / ${radius} * 1.000001 + 1e-9)`
  const [south, north] = [`${latitude} - degrees(${angle})`, `${latitude} + degrees(${angle})`]
  const turn = `degrees(asin(greatest(-1, least(1, sin(${angle}) / nullif(cosd(${latitude}), 0)))))`
  const isBounded = `abs(${latitude}) + degrees(${angle}) < 90 and abs(${longitude}) + ${turn} <= 180`
  const box = (west: string, low: string, east: string, high: string) =>
    `box(point(${west}, ${low}), point(${east}, ${high}))`
  return `case when abs(${longitude}) > 180 or abs(${latitude}) > 90 then ${box("'-Infinity'", "'-Infinity'", "'Infinity'", "'Infinity'")} when ${isBounded} then ${box(`${longitude} - ${turn}`, south, `${longitude} + ${turn}`, north)} else ${box("'-Infinity'", south, "'Infinity'", north)} end`
}

/** Whether a place is nowhere on the earth: such a one is as near as it would be after going round. */
export function beyondEarthSql(place: string): string {
  const boxes = ['(180,-Infinity),(Infinity,Infinity)', '(-Infinity,-Infinity),(-180,Infinity)']
  const caps = ['(-Infinity,90),(Infinity,Infinity)', '(-Infinity,-Infinity),(Infinity,-90)']
  return [...boxes, ...caps].map((box) => `${place} <@ box '(${box})'`).join(' or ')
}
