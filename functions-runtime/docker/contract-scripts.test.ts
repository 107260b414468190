import { testContract } from '../../src/testing/docker/contract.ts'

testContract([
  { runtime: 'python-3.11', folder: 'python', entrypoint: 'main.py' },
  { runtime: 'php-8.2', folder: 'php', entrypoint: 'index.php' },
  { runtime: 'ruby-3.1', folder: 'ruby', entrypoint: 'main.rb' },
])
