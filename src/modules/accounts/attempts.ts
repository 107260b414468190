import { hash } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import { type Context, transaction } from '../../context.ts'
import { LimitExceeded } from '../../errors.ts'

const minute = 60_000
const day = 24 * 60 * minute

/** How often a password may be tried, and accounts be made, until others have to wait for the end of the period. */
export const attemptLimits = {
  passwordMs: 15 * minute,
  /** Wrong passwords for one address from one place. */
  passwordsHere: 10,
  /** For one address from all places together, but those from which it has signed in before. */
  passwordsOfAddress: 100,
  /** From one place for all addresses, but those that have signed in from it before. */
  passwordsOfPlace: 100,
  signUpMs: 60 * minute,
  /** Accounts made from one place. */
  signUpsOfPlace: 100,
  /** For how long a place is remembered from which an address has signed in. */
  rememberedMs: 30 * day,
} as const

type Counter = { key: string; most: number; forMs: number }

/** A password that is about to be tried. It counts as a wrong one until it is told to have been right. */
export type PasswordAttempt = { wasRight: () => Promise<void> }

/**
 * Counts that somebody tries a password for an address of the project, whether or not anybody has it. Called before the
 * password is hashed, for that costs most. Throws LimitExceeded.
 */
export async function beginPasswordAttempt(ctx: Context, email: string): Promise<PasswordAttempt> {
  const place = placeOf(ctx)
  const { passwordMs: forMs, passwordsHere, passwordsOfAddress, passwordsOfPlace } = attemptLimits
  const here = { key: keyOf(ctx, 'here', email, place), most: passwordsHere, forMs }
  // What others try elsewhere, or for other addresses, shuts nobody out of where they have been before.
  const others = [
    { key: keyOf(ctx, 'address', email), most: passwordsOfAddress, forMs },
    { key: keyOf(ctx, 'place', place), most: passwordsOfPlace, forMs },
  ]
  const counters = (await isRemembered(ctx, email)) ? [here] : [here, ...others]
  await countAttempt(ctx, counters, 'There were too many wrong passwords.')
  return {
    wasRight: async () => {
      await takeBack(ctx, counters)
      await rememberPlace(ctx, email)
    },
  }
}

/** Counts that somebody makes an account. Throws LimitExceeded. */
export function countSignUp(ctx: Context): Promise<void> {
  const { signUpsOfPlace: most, signUpMs: forMs } = attemptLimits
  return countAttempt(ctx, [{ key: keyOf(ctx, 'signUp', placeOf(ctx)), most, forMs }], 'There were too many sign-ups.')
}

/** Who has one address of IPv6 has all of its /64. */
function placeOf({ client: { ip } }: Context): string {
  if (!ipaddr.IPv6.isValid(ip)) return ip
  return ipaddr.IPv6.parse(ip).parts.slice(0, 4).join(':')
}

function keyOf({ projectId }: Context, ...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify([projectId, ...parts]), 'base64url')
}

type Full = { until: Date | null }

/** Counts in all of them, or in none where one is full. */
async function countAttempt(ctx: Context, counters: readonly Counter[], why: string): Promise<void> {
  const now = ctx.clock()
  const keys = counters.map(({ key }) => key)
  const mosts = counters.map(({ most }) => most)
  const ends = counters.map(({ forMs }) => new Date(now.getTime() + forMs))
  // Most of a flood is refused by a read, which waits for nobody.
  const { rows } = await ctx.sql.query<Full>(
    `select max(a.until) as until from account_attempts a
     join unnest($1::text[], $2::int[]) as c(key, most) using (key) where a.until > $3 and a.tries >= c.most`,
    [keys, mosts, now],
  )
  refuseUntil(ctx, rows[0]?.until ?? null, why)
  await transaction(ctx, async ({ query }) => {
    // In the order of their keys, so that two never wait for each other.
    const full = await query<Full>(
      `with counted as (
         insert into account_attempts as a (key, tries, until)
         select key, 1, until from unnest($1::text[], $3::timestamptz[]) as c(key, until) order by key
         on conflict (key) do update set
           tries = case when a.until > $4 then a.tries + 1 else 1 end,
           until = case when a.until > $4 then a.until else excluded.until end
         returning key, tries, until
       )
       select max(counted.until) as until from counted join unnest($1::text[], $2::int[]) as c(key, most) using (key)
       where counted.tries > c.most`,
      [keys, mosts, ends, now],
    )
    refuseUntil(ctx, full[0]?.until ?? null, why)
  })
}

function refuseUntil({ clock }: Context, until: Date | null, why: string): void {
  if (until === null) return
  const retryAfterMs = Math.max(1, until.getTime() - clock().getTime())
  const minutes = Math.ceil(retryAfterMs / minute)
  throw new LimitExceeded(`${why} Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`, retryAfterMs)
}

async function takeBack(ctx: Context, counters: readonly Counter[]): Promise<void> {
  await ctx.sql.query(
    `with mine as (select key from account_attempts where key = any($1::text[]) and tries > 0 order by key for update)
     update account_attempts a set tries = a.tries - 1 from mine where a.key = mine.key`,
    [counters.map(({ key }) => key)],
  )
}

async function isRemembered(ctx: Context, email: string): Promise<boolean> {
  const { rows } = await ctx.sql.query('select 1 from account_attempts where key = $1 and until > $2', [
    keyOf(ctx, 'remembered', email, placeOf(ctx)),
    ctx.clock(),
  ])
  return rows.length > 0
}

/** That the address is signed in from there now. Written once a day at most for each place of an address. */
export async function rememberPlace(ctx: Context, email: string): Promise<void> {
  const until = new Date(ctx.clock().getTime() + attemptLimits.rememberedMs)
  await ctx.sql.query(
    `insert into account_attempts as a (key, tries, until) values ($1, 0, $2)
     on conflict (key) do update set until = excluded.until where a.until < excluded.until - interval '1 day'`,
    [keyOf(ctx, 'remembered', email, placeOf(ctx)), until],
  )
}
