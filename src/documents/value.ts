/** A value as the API answers it and the log keeps it. 64-bit and decimal numbers are texts, geometries GeoJSON. */
export type Value = string | number | boolean | null | readonly unknown[] | object
