/** `agent-wrap completions <shell>`: the few lines by which a shell asks `agent-wrap complete`. */
import { Argument, Command } from 'commander';
import { throwUsage } from './usage.ts';

// Always the agent-wrap of PATH: a TAB after ./agent-wrap must not run what lies in this directory.
const SCRIPTS = {
  bash: `_agent_wrap() {
  local cur=\${COMP_WORDS[COMP_CWORD]} line found
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -f -- "$cur") ;;
      :programs)
        while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -c -- "$cur") ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(command agent-wrap complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _agent_wrap agent-wrap
`,
  zsh: `#compdef agent-wrap
_agent_wrap() {
  local -a candidates
  local line word
  for line in "\${(@f)$(command agent-wrap complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :files) _files ;;
      :programs) _command_names -e ;;
      ?*) word=\${line%%$'\\t'*}; candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#candidates )) && _describe agent-wrap candidates
}
if [[ $funcstack[1] = _agent_wrap ]]; then _agent_wrap "$@"; else compdef _agent_wrap agent-wrap; fi
`,
  fish: `function __agent_wrap_complete
  set -l words (commandline -opc)
  set -e words[1]
  set -l current (commandline -ct)
  for line in (command agent-wrap complete -- $words "$current" 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path "$current"
      case :programs
        __fish_complete_command
      case '*'
        echo $line
    end
  end
end
complete -c agent-wrap -f -a '(__agent_wrap_complete)'
`,
} as const;

export const SHELLS = Object.keys(SCRIPTS) as readonly (keyof typeof SCRIPTS)[];

const EXAMPLES = `
Examples:
  source <(agent-wrap completions bash)       in ~/.bashrc
  source <(agent-wrap completions zsh)        in ~/.zshrc, after compinit
  agent-wrap completions fish | source        in ~/.config/fish/config.fish`;

export function command(): Command {
  return throwUsage(new Command('completions'))
    .description('Print the script that lets a shell complete our options, commands and programs.')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell]);
    });
}
