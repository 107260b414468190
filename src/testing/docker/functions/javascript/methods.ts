export const GET = () => new Response('got', { headers: { 'x-a': 'b' } })
