import { graphql } from '../generated/gql.ts'
import { question } from '../question.ts'

/** Questions about what the store sells. */
export const catalogue = [
  question(
    'the ten longest rock songs, with their album and who made it',
    graphql(`
      query LongestRock {
        tracks(where: { genre: { name: { eq: "Rock" } } }, orderBy: [{ milliseconds: DESC }, { name: ASC }], first: 10) {
          nodes { name seconds album { title artist { name } } }
        }
      }
    `),
    ({ tracks }) => tracks.nodes.map(({ name, seconds, album }) => [name, seconds, album?.title, album?.artist?.name]),
    `select t."Name", floor(t."Milliseconds" / 1000)::int, b."Title", a."Name"
     from "Track" t join "Genre" g using ("GenreId") join "Album" b using ("AlbumId") join "Artist" a using ("ArtistId")
     where g."Name" = 'Rock' order by t."Milliseconds" desc, t."Name" limit 10`,
  ),
  question(
    'artists who have an album of which nobody ever bought a song',
    graphql(`
      query Unsold {
        artists(
          where: { albums: { some: { tracks: { none: { invoiceLines: { some: {} } } } } } }
          orderBy: [{ name: ASC }]
          first: 100
        ) {
          totalCount
          nodes { name }
        }
      }
    `),
    ({ artists }) => artists.nodes.map(({ name }) => [artists.totalCount, name]),
    `select count(*) over ()::int, a."Name" from "Artist" a where exists (
       select from "Album" b where b."ArtistId" = a."ArtistId" and not exists (
         select from "Track" t join "InvoiceLine" l using ("TrackId") where t."AlbumId" = b."AlbumId"))
     order by a."Name" limit 100`,
  ),
  question(
    'songs about love but no hate, the best matches first',
    graphql(`
      query Love {
        tracks(
          where: { name: { search: { words: "love -hate" } } }
          orderBy: [{ nameRank: { search: "love -hate" } }, { name: ASC }, { id: ASC }]
          first: 20
        ) {
          totalCount
          nodes { name composer }
        }
      }
    `),
    ({ tracks }) => tracks.nodes.map(({ name, composer }) => [tracks.totalCount, name, composer ?? null]),
    `select count(*) over ()::int, "Name", "Composer" from "Track", websearch_to_tsquery('english', 'love -hate') q
     where to_tsvector('english', "Name") @@ q
     order by ts_rank(to_tsvector('english', "Name"), q) desc, "Name", "TrackId"::text collate "C" limit 20`,
  ),
  question(
    'albums in the order of their artists, the second page of thirty',
    graphql(`
      query Shelf {
        albums(orderBy: [{ artist: { name: ASC } }, { title: ASC }], first: 30, offset: 30) {
          nodes { title artist { name } tracks { totalCount } }
        }
      }
    `),
    ({ albums }) => albums.nodes.map(({ title, artist, tracks }) => [artist?.name, title, tracks.totalCount]),
    `select a."Name", b."Title", (select count(*)::int from "Track" t where t."AlbumId" = b."AlbumId")
     from "Album" b join "Artist" a using ("ArtistId") order by a."Name", b."Title" limit 30 offset 30`,
  ),
  question(
    'how many songs each playlist has, and how many of them are jazz',
    graphql(`
      query Playlists {
        playlists(orderBy: [{ name: ASC }, { id: ASC }]) {
          nodes {
            name
            all: tracks { totalCount }
            jazz: tracks(where: { genre: { name: { eq: "Jazz" } } }) { totalCount }
          }
        }
      }
    `),
    ({ playlists }) => playlists.nodes.map(({ name, all, jazz }) => [name, all.totalCount, jazz.totalCount]),
    `select p."Name", count(t."TrackId")::int, count(t."TrackId") filter (where g."Name" = 'Jazz')::int
     from "Playlist" p left join "PlaylistTrack" using ("PlaylistId") left join "Track" t using ("TrackId")
       left join "Genre" g using ("GenreId")
     group by p."PlaylistId", p."Name" order by p."Name", p."PlaylistId"::text collate "C"`,
  ),
]
