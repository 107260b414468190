import { graphql } from '../generated/gql.ts'
import { question } from '../question.ts'

/** Questions about who buys, and who sells. */
export const sales = [
  question(
    'the countries that brought more than a hundred, the best first',
    graphql(`
      query Countries {
        invoicesAggregate(
          groupBy: [{ country: VALUE }]
          having: { sum: { total: { gt: "100" } } }
          orderBy: [{ sum: { total: DESC } }]
        ) {
          key { country }
          count
          sum { total }
          countDistinct { customer }
        }
      }
    `),
    ({ invoicesAggregate }) =>
      invoicesAggregate.map(({ key, count, sum, countDistinct }) => {
        return [key.country, count, Number(sum.total), countDistinct.customer]
      }),
    `select "BillingCountry", count(*)::int, sum("Total")::float8, count(distinct "CustomerId")::int
     from "Invoice" group by 1 having sum("Total") > 100 order by 3 desc, 1`,
  ),
  question(
    'what 2023 brought, month by month',
    graphql(`
      query Months {
        invoicesAggregate(
          where: { date: { gte: "2023-01-01T00:00:00Z", lt: "2024-01-01T00:00:00Z" } }
          groupBy: [{ date: MONTH }]
        ) {
          key { date }
          count
          sum { total }
          max { total }
        }
      }
    `),
    ({ invoicesAggregate }) =>
      invoicesAggregate.map(({ key, count, sum, max }) => {
        return [key.date?.slice(0, 7), count, Number(sum.total), Number(max.total)]
      }),
    `select left("InvoiceDate", 7), count(*)::int, sum("Total")::float8, max("Total")::float8
     from "Invoice" where "InvoiceDate" like '2023-%' group by 1 order by 1`,
  ),
  question(
    'who reports to whom, and how many customers each looks after',
    graphql(`
      query Staff {
        employees(where: { not: { reportsTo: {} } }, first: 1) {
          nodes {
            lastName
            reports(orderBy: [{ lastName: ASC }], first: 10) {
              nodes {
                lastName
                reports(orderBy: [{ lastName: ASC }], first: 20) { nodes { lastName hireDate customers { totalCount } } }
              }
            }
          }
        }
      }
    `),
    ({ employees }) =>
      employees.nodes.flatMap((boss) =>
        boss.reports.nodes.flatMap((lead) =>
          lead.reports.nodes.map((one) => {
            return [boss.lastName, lead.lastName, one.lastName, one.hireDate, one.customers.totalCount]
          }),
        ),
      ),
    `select boss."LastName", lead."LastName", one."LastName", left(one."HireDate", 10),
       (select count(*)::int from "Customer" c where c."SupportRepId" = one."EmployeeId")
     from "Employee" boss join "Employee" lead on lead."ReportsTo" = boss."EmployeeId"
       join "Employee" one on one."ReportsTo" = lead."EmployeeId"
     where boss."ReportsTo" is null order by 1, 2, 3`,
  ),
  question(
    'who bought nothing in the first half of 2025, in the order of who looks after them',
    graphql(`
      query Missing {
        customers(
          where: { invoices: { none: { date: { between: ["2025-01-01T00:00:00Z", "2025-06-30T23:59:59Z"] } } } }
          orderBy: [{ supportRep: { lastName: ASC } }, { lastName: DESC }]
          first: 100
        ) {
          nodes { firstName lastName supportRep { lastName } }
        }
      }
    `),
    ({ customers }) =>
      customers.nodes.map(({ firstName, lastName, supportRep }) => [supportRep?.lastName, lastName, firstName]),
    `select e."LastName", c."LastName", c."FirstName"
     from "Customer" c join "Employee" e on e."EmployeeId" = c."SupportRepId"
     where not exists (select from "Invoice" i where i."CustomerId" = c."CustomerId"
       and i."InvoiceDate" between '2025-01-01' and '2025-06-30T23:59:59')
     order by 1, 2 desc, 3 limit 100`,
  ),
  question(
    'customers who only ever spent more than 0.99 at a time, or write to us from an address of gmail',
    graphql(`
      query Spenders {
        customers(
          where: { or: [{ invoices: { every: { total: { gt: "0.99" } } } }, { email: { iendsWith: "@GMAIL.com" } }] }
          orderBy: [{ lastName: ASC }]
          first: 100
        ) {
          nodes { lastName email invoices(orderBy: [{ total: DESC }, { date: ASC }], first: 1) { nodes { total date } } }
        }
      }
    `),
    ({ customers }) =>
      customers.nodes.map(({ lastName, email, invoices: { nodes } }) => {
        return [lastName, email, nodes[0]?.total, nodes[0]?.date.slice(0, 10)]
      }),
    `select c."LastName", c."Email", i."Total"::numeric(9, 2)::text, left(i."InvoiceDate", 10)
     from "Customer" c cross join lateral (select * from "Invoice" i where i."CustomerId" = c."CustomerId"
       order by "Total" desc, "InvoiceDate" limit 1) i
     where c."Email" ilike '%@gmail.com' or not exists (
       select from "Invoice" i where i."CustomerId" = c."CustomerId" and i."Total" <= 0.99)
     order by 1 limit 100`,
  ),
  question(
    'songs that were bought twice within two years, with what they brought',
    graphql(`
      query Twice {
        invoiceLinesAggregate(
          where: { invoice: { date: { gte: "2024-01-01T00:00:00Z" } } }
          groupBy: [{ track: VALUE }]
          having: { sum: { quantity: { gte: "2" } } }
          orderBy: [{ sum: { unitPrice: DESC } }, { key: { track: ASC } }]
          first: 100
        ) {
          key { track }
          sum { quantity unitPrice }
        }
      }
    `),
    ({ invoiceLinesAggregate }) =>
      invoiceLinesAggregate.map(({ key, sum }) => [key.track, Number(sum.quantity), Number(sum.unitPrice)]),
    `select l."TrackId"::text collate "C", sum(l."Quantity")::float8, sum(l."UnitPrice")::float8
     from "InvoiceLine" l join "Invoice" i using ("InvoiceId") where i."InvoiceDate" >= '2024'
     group by 1 having sum(l."Quantity") >= 2 order by 3 desc, 1 limit 100`,
  ),
]
