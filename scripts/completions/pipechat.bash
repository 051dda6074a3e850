# Completion of pipechat's command line in bash, made by `pipechat completions bash`.
# Source it, or put it into ~/.local/share/bash-completion/completions/pipechat

_pipechat() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' list='' flags i
    local subcommand=serve first=1 position=0
    COMPREPLY=()
    # `--flag=value` is three words to bash.
    if [[ $word == = ]]; then
        word=''
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "serve send listen history wait who chat account cert completions help" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
        serve | send | listen | history | wait | who | chat | account | cert | completions | help) subcommand=${COMP_WORDS[1]} first=2 ;;
    esac
    for ((i = first; i < COMP_CWORD; i++)); do
        # What follows an option is taken for its value.
        [[ ${COMP_WORDS[i]} == -* || ${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} == -* ]] || ((++position))
    done
    case $subcommand in
        serve)
            flags="--host --port --listen --http --public-host --cors --proxy-from --peer --tls-cert --tls-key --lang --max-clients --max-clients-per-ip --arrivals-per-ip --trusted --idle-timeout --strict-idle --max-wait --rate --burst --rate-per-ip --max-rooms --max-rooms-per-client --recent --recent-memory --history-presence --store --sync --history-lines --history-days --store-max --registration --insecure-login --require-login --offline-max --max-line --max-queue --soft-queue --max-memory --write-timeout --drain-timeout --config --check --help --version"
            case $before in
                --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") && return ;;
                --tls-cert) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --tls-key) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                --store) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --sync) words="normal full" ;;
                --registration) words="open closed" ;;
                --config) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --port | --listen | --http | --public-host | --cors | --proxy-from | --peer | --max-clients | --max-clients-per-ip | --arrivals-per-ip | --trusted | --idle-timeout | --max-wait | --rate | --burst | --rate-per-ip | --max-rooms | --max-rooms-per-client | --recent | --recent-memory | --history-lines | --history-days | --store-max | --offline-max | --max-line | --max-queue | --soft-queue | --max-memory | --write-timeout | --drain-timeout) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=""; fi ;;
            esac
            ;;
        send)
            flags="--host --port --tls --ca --insecure --name --token --token-file --lang --timeout --reconnect --to --room --verbose --help --version"
            case $before in
                --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") && return ;;
                --ca) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                --port | --name | --token | --timeout | --to | --room) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=""; fi ;;
            esac
            ;;
        listen)
            flags="--host --port --tls --ca --insecure --name --token --token-file --lang --timeout --reconnect --room --since --resume --json --match --from --event --no-presence --count --help --version"
            case $before in
                --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") && return ;;
                --ca) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                --resume) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --event) words="online offline known_as joined left topic message private notice" list=${word%"${word##*,}"} ;;
                --port | --name | --token | --timeout | --room | --since | --match | --from | --count) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=""; fi ;;
            esac
            ;;
        history)
            flags="--host --port --tls --ca --insecure --token --token-file --lang --timeout --last --since --follow --json --help --version"
            case $before in
                --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") && return ;;
                --ca) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                --port | --token | --timeout | --last | --since) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=""; fi ;;
            esac
            ;;
        wait)
            flags="--host --port --tls --ca --insecure --token --token-file --lang --timeout --help --version"
            case $before in
                --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") && return ;;
                --ca) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                --port | --token | --timeout) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words="user gone users text members in by"; fi ;;
            esac
            ;;
        who)
            flags="--host --port --tls --ca --insecure --token --token-file --lang --timeout --json --count --help --version"
            case $before in
                --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") && return ;;
                --ca) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                --port | --token | --timeout) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=""; fi ;;
            esac
            ;;
        chat)
            flags="--host --port --tls --ca --insecure --name --token --token-file --lang --room --addr --no-reconnect --no-history --help --version"
            case $before in
                --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$word") && return ;;
                --ca) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                --port | --name | --token | --room) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=""; fi ;;
            esac
            ;;
        account)
            flags="--store --lang --no-password --help --version"
            case $before in
                --store) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
                --lang) words="zh en" ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words="add passwd token revoke role remove list"; fi ;;
            esac
            ;;
        cert)
            flags="--self-signed --name --help --version"
            case $before in
                --self-signed | --name) return ;;
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=""; fi ;;
            esac
            ;;
        completions)
            flags="--help --version"
            case $before in
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words="bash zsh fish"; fi ;;
            esac
            ;;
        help)
            flags=""
            case $before in
                *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words="serve send listen history wait who chat account cert completions protocol errors rooms store accounts order scripts json http client netcat options transport operating limits performance internals"; fi ;;
            esac
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -P "$list" -W "$words" -- "${word#"$list"}")
}

complete -F _pipechat pipechat
