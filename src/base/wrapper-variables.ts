/**
 * What a wrapper gives its agent: whatever the agent starts finds its relay by them and speaks as it. An agent
 * or a server that is not the wrapper's own must not inherit them.
 */
export const WRAPPER_VARIABLES = ['AGENT_RELAY_NAME', 'AGENT_RELAY_TOKEN', 'AGENT_RELAY_NAMESPACE'] as const;
