/** The two ways of being attached: to a daemon elsewhere, by its socket, or to the one we host. */
import { renderEndpoint } from '../afd/endpoint.ts';
import { RelayError } from '../base/errors.ts';
import type { Attachment } from '../client/attachment.ts';
import type { Host } from '../daemon/host.ts';
import type { Link } from '../transport/link.ts';
import { socketLink } from '../transport/socket.ts';
import { connectUnix } from '../transport/unix.ts';

/** @param met a connection that is there already: for the first `open()`. */
export function clientAttachment(
  directory: string,
  socketPath: string,
  epoch: number,
  met?: Link,
): Attachment {
  let first = met;
  const taken = () => {
    const link = first;
    first = undefined;
    return link;
  };
  return {
    role: 'client',
    leading: false,
    directory,
    epoch,
    endpoint: renderEndpoint(socketPath),
    async call(command, input, options) {
      const { callRpc } = await import('../client/rpc.ts'); // Node's HTTP: a leader does without.
      return callRpc(socketPath, command, input, options);
    },
    async open() {
      try {
        return taken() ?? socketLink(await connectUnix(socketPath));
      } catch (cause) {
        throw new RelayError('DAEMON_UNREACHABLE', `nobody answers at ${socketPath}`, { cause });
      }
    },
    async close() {
      taken()?.destroy();
    },
  };
}

export function leaderAttachment(directory: string, host: Host): Attachment {
  return {
    role: 'leader',
    get leading() {
      return host.leading;
    },
    get failure() {
      return host.failure;
    },
    directory,
    epoch: host.epoch,
    endpoint: host.endpoint,
    call: (command, input, options) =>
      host.daemon.execute(command, input, { interface: 'wrapper', ...options }),
    open: async () => host.open(),
    close: () => host.close(),
  };
}
