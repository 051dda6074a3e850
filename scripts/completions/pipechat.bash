# Completion of pipechat's command line in bash. Source it, or put it into
# ~/.local/share/bash-completion/completions/pipechat

_pipechat() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} subcommand=serve flags
    COMPREPLY=()
    case ${COMP_WORDS[1]} in
        send | listen | wait | chat) ((COMP_CWORD == 1)) || subcommand=${COMP_WORDS[1]} ;;
    esac
    case $subcommand in
        serve) # serve:
            flags="--host --port --idle-timeout --lang --max-clients --max-clients-per-ip --max-line --rate --burst
                --max-queue --soft-queue --max-memory --rate-per-ip --arrivals-per-ip --trusted --write-timeout --max-wait --strict-idle --drain-timeout --version
                --help" # end
            ;;
        send) # send:
            flags="--host --port --name --to --timeout --lang --help" # end
            ;;
        listen) # listen:
            flags="--host --port --name --json --match --count --timeout --lang --help" # end
            ;;
        wait) # wait:
            flags="--host --port --timeout --lang --help" # end
            ;;
        chat) # chat:
            flags="--host --port --name --lang --help" # end
            ;;
    esac
    case $before in
        --lang) flags="zh en" ;;
        --json | --strict-idle | --version | --help) ;;
        --*) return ;; # takes a value that nobody can guess
        *)
            if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then
                flags="serve send listen wait chat"
            elif [[ $subcommand == wait && $word != -* ]]; then
                flags="user gone users text"
            elif [[ $word != -* && $subcommand != serve ]]; then
                return
            fi
            ;;
    esac
    local match
    for match in $flags; do
        [[ $match == "$word"* ]] && COMPREPLY+=("$match")
    done
}

complete -F _pipechat pipechat
