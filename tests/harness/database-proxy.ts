/**
 * A TCP proxy in front of a test's database that makes it unavailable: silent (connected, but forwards nothing) or gone (no
 * connections).
 */
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export type DatabaseProxy = {
  url: string;
  /** The number of open connections. */
  count(): number;
  setState(state: 'open' | 'silent' | 'gone'): void;
  /** Runs before each chunk of bytes in either direction is forwarded; null: nothing runs. */
  onChunk: (() => unknown) | null;
};

export async function databaseProxy(t: TestContext, databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const pairs = new Set<[Socket, Socket]>();
  let state: 'open' | 'silent' | 'gone' = 'open';
  const server = createServer((socket) => {
    if (state === 'gone') {
      socket.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    const pair: [Socket, Socket] = [socket, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, socket] as const]) {
      from.on('error', () => undefined);
      from.on('data', async (chunk) => {
        if (proxy.onChunk) {
          from.pause();
          await proxy.onChunk();
          if (state === 'open') from.resume();
        }
        if (!to.destroyed) to.write(chunk);
      });
      from.once('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
      if (state === 'silent') from.pause();
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
  });
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const proxy: DatabaseProxy = {
    url: url.href,
    onChunk: null,
    count: () => pairs.size,
    setState(next) {
      state = next;
      for (const pair of pairs) {
        for (const socket of pair) {
          if (next === 'gone') socket.destroy();
          else if (next === 'silent') socket.pause();
          else socket.resume();
        }
      }
    },
  };
  return proxy;
}
