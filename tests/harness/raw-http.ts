/**
 * Raw HTTP, for requests that no client would send.
 */
import { connect } from 'node:net';

export type Raw = { status: number; headers: Record<string, string>; body: string };

const answerMsMax = 60_000;

/** Sends raw bytes and reads the first response until its length is reached or the server closes the connection. */
export function exchange(address: string, sent: string): Promise<Raw> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(sent));
    const late = setTimeout(() => socket.destroy(new Error('no answer in time')), answerMsMax);
    let received = '';
    const end = () => {
      clearTimeout(late);
      const [head = '', body = ''] = received.split('\r\n\r\n');
      const [first = '', ...lines] = head.split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => [line.split(':')[0]?.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
      );
      socket.destroy();
      resolve({ status: Number(first.split(' ')[1]), headers, body });
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const [head, body] = received.split('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(head ?? '')?.[1];
      if (body !== undefined && length !== undefined && body.length >= Number(length)) end();
    });
    socket.once('end', end);
    socket.once('error', (error) => (received === '' ? reject(error) : end()));
  });
}
