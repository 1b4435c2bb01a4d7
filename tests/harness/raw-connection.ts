/**
 * Raw HTTP over a socket, for requests that no client would send.
 */
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export type RawConnection = {
  write(text: string | Uint8Array): void;
  /** Resolves with all received text once it matches; rejects if the connection closes before. */
  received(pattern: RegExp): Promise<string>;
  /** Resolves with all received text when the connection closes. */
  closed: Promise<string>;
  end(): void;
};

/** Connects to the server; destroys the connection when the test ends. */
export async function rawConnection(t: TestContext, address: string): Promise<RawConnection> {
  const { hostname, port } = new URL(address);
  const socket: Socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  let text = '';
  const listeners = new Set<() => void>();
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (const listener of listeners) listener();
  });
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(text));
  });
  socket.on('error', () => undefined);
  return {
    write: (bytes) => void socket.write(bytes),
    closed,
    end: () => void socket.destroy(),
    received: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text)) return;
          listeners.delete(look);
          resolve(text);
        };
        listeners.add(look);
        closed.then(() => reject(new Error(`the connection closed; received: ${text}`)));
        look();
      }),
  };
}

/** The headers of a request, with the final blank line. */
export function requestHead(
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>> = {},
): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}
