#compdef pipechat
# Completion of pipechat's command line in zsh, made by `pipechat completions zsh`.
# Put it as _pipechat into a directory of $fpath.

_pipechat() {
    local -a subcommands=(
        'serve:run the server, as without a command'
        'send:send messages, and confirm that they were delivered'
        'listen:print messages, arrivals and departures'
        'history:print what was said in a room'
        'wait:wait until a user is here or gone, or a text is said'
        'who:print who is online'
        'chat:interactive client'
        'account:manage the accounts in a store'
        'cert:make a certificate to try TLS with'
        'completions:print completions for bash, zsh or fish'
        'help:print help on a command, or a page of the manual'
    )
    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
        _describe subcommand subcommands
        return
    fi
    local subcommand=serve
    if [[ $words[2] != -* ]]; then
        subcommand=$words[2]
        words=("${(@)words[2,-1]}")
        ((CURRENT--))
    fi
    case $subcommand in
        serve)
            _arguments \
                '--host=[address or name to listen on, or HOST:PORT (127.0.0.1)]:host:_hosts' \
                '--port=[port to listen on; 0 picks a free port (9999)]:port:' \
                '--listen=[listen here, and not on the default address and port unless --host or --port is given: tcp://HOST:PORT or unix:/path for lines, http://HOST:PORT for browsers and curl; tls:// and https:// are the same through TLS; tcp+proxy://, tls+proxy:// and so on for the PROXY protocol; may be repeated]:url:' \
                '--http=[listen here too, for browsers and curl: http:// on the host; 0 picks a free port]:port:' \
                '--public-host=[name by which browsers may know this server, besides localhost and addresses; may be repeated]:name:' \
                '--cors=[whose pages may use this server too, as https://example.org; may be repeated]:origin:' \
                '--proxy-from=[addresses of proxies, which may connect to tcp+proxy://, tls+proxy:// and so on and tell whom for: ADDRESS or ADDRESS/BITS, separated by commas]:addresses:' \
                '--peer=[the processes of this user of the machine, by number, are logged in to this account when they connect to unix:/path; may be repeated]:uid=name:' \
                '--tls-cert=[certificate for tls:// and https:// in PEM, with those that lead to a root]:file:_files' \
                '--tls-key=[its key in PEM]:file:_files' \
                '--lang=[language that connections begin with (zh)]:value:(zh en)' \
                '--max-clients=[maximum number of clients; 0 means the default (what the limit on open files allows)]:n:' \
                '--max-clients-per-ip=[maximum number of clients from one address; 0 means no limit (no limit)]:n:' \
                '--arrivals-per-ip=[new connections per second from one address, ten seconds'\'' worth at once; 0 means no limit (50)]:n:' \
                '--trusted=[addresses without the limits for one address: ADDRESS or ADDRESS/BITS, separated by commas; '\'''\'' means none (127.0.0.0/8,::1)]:addresses:' \
                '--idle-timeout=[disconnect a client that sends nothing for this long; 0 disables it (5m)]:duration:' \
                '--strict-idle[exempt no client from the idle timeout: refuse `stay`]' \
                '--max-wait=[longest `wait` that a client may ask for (1h)]:duration:' \
                '--rate=[lines per second that a client may send; 0 means no limit (1000)]:n:' \
                '--burst=[lines that a client may send at once after a silence (10000)]:n:' \
                '--rate-per-ip=[lines per second that all clients from one address may send; 0 means no limit (ten times the rate)]:n:' \
                '--max-rooms=[maximum number of rooms; 0 means no limit (10000)]:n:' \
                '--max-rooms-per-client=[maximum number of rooms that a client may be in, or that an address may have made; 0 means no limit (100)]:n:' \
                '--recent=[messages and notices of each room that are kept in memory; 0 keeps none (1000)]:n:' \
                '--recent-memory=[memory for those of all rooms together; the room that has been silent longest gives first (16M)]:size:' \
                '--history-presence[keep arrivals and departures in the lobby too]' \
                '--store=[keep messages and notices in this SQLite database, which is made if there is none]:file:_files' \
                '--sync=[what a commit to the store survives: normal, the end of the process; full, a power cut too (normal)]:value:(normal full)' \
                '--history-lines=[messages and notices of each room that the store keeps; 0 means no limit (10000)]:n:' \
                '--history-days=[days after which the store gives up a message; 0 means no limit (30)]:n:' \
                '--store-max=[size of the store above which the oldest messages of the largest room go; 0 means no limit (1G)]:size:' \
                '--registration=[whether users may register accounts: open, or closed (open)]:value:(open closed)' \
                '--insecure-login[accept passwords over connections that are neither encrypted nor from this machine]' \
                '--require-login[let nobody say or hear anything before it has logged in]' \
                '--offline-max=[private messages that are kept for an account that is away (1000)]:n:' \
                '--max-line=[longest line (4K)]:size:' \
                '--max-queue=[output queue limit per client; above it the client is disconnected; 0 means no limit (32M)]:size:' \
                '--soft-queue=[output queue limit per client; above it for 60 seconds the client is disconnected; 0 means no limit (8M)]:size:' \
                '--max-memory=[memory that all clients together may make the server hold; 0 means no limit (256M)]:size:' \
                '--write-timeout=[disconnect a client after this long without write progress; 0 disables it (10s)]:duration:' \
                '--drain-timeout=[maximum time to flush queues and to finish storing at shutdown (5s)]:duration:' \
                '--config=[read options from this TOML file]:file:_files' \
                '--check[print the options in force and where each value comes from, and exit]' \
                '--help[print help]' \
                '--version[print the version]' \
                '*: :' \
                && return
            ;;
        send)
            _arguments \
                '--host=[host of the server, or HOST:PORT (127.0.0.1)]:host:_hosts' \
                '--port=[port of the server (9999)]:port:' \
                '--tls[encrypt the connection, and check who the server is]' \
                '--ca=[trust servers whose certificate leads to one in this file (the system'\''s)]:file:_files' \
                '--insecure[encrypt without checking who the server is]' \
                '--name=[name to take first; one that is taken is refused]:name:' \
                '--token=[token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN]:token:' \
                '--token-file=[file with the token to log in with]:file:_files' \
                '--lang=[language of the server'\''s texts (the server'\''s)]:value:(zh en)' \
                '--timeout=[how long to try to connect, and to wait for the confirmation of TEXT, or with - of each line; 0 means no limit (30s)]:duration:' \
                '--reconnect[connect again when the connection is lost, however often; lines that were not confirmed are sent again, so some may be delivered twice]' \
                '--to=[user to send to, instead of everyone]:name:' \
                '--room=[room to send to, without joining it, instead of the lobby]:room:' \
                '--verbose[print the position of each line when it is said, for --since; - where the server keeps no history]' \
                '--help[print help]' \
                '--version[print the version]' \
                '*: :' \
                && return
            ;;
        listen)
            _arguments \
                '--host=[host of the server, or HOST:PORT (127.0.0.1)]:host:_hosts' \
                '--port=[port of the server (9999)]:port:' \
                '--tls[encrypt the connection, and check who the server is]' \
                '--ca=[trust servers whose certificate leads to one in this file (the system'\''s)]:file:_files' \
                '--insecure[encrypt without checking who the server is]' \
                '--name=[name to take first; one that is taken is refused]:name:' \
                '--token=[token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN]:token:' \
                '--token-file=[file with the token to log in with]:file:_files' \
                '--lang=[language of the server'\''s texts (the server'\''s)]:value:(zh en)' \
                '--timeout=[how long to listen, connecting included; 0 means no limit, but 30s for connecting (0)]:duration:' \
                '--reconnect[connect again when the connection is lost, however often, and go on where it was]' \
                '--room=[room to join, instead of the lobby; may be repeated, also with lobby]:room:' \
                '--since=[print first what was said since a position, such as 42.abcde, for a duration, such as 10m, or since a time]:start:' \
                '--resume=[go on where the last listener with this file has ended: it holds the position of the last line]:file:_files' \
                '--json[print JSON, an object a line]' \
                '--match=[print only lines that contain this]:text:' \
                '--from=[print only what is about this user]:name:' \
                '--event=[print only these kinds: online, offline, known_as, joined, left, topic, message, private, notice (all)]:value:_values -s , value online offline known_as joined left topic message private notice' \
                '--no-presence[print nothing about who arrives, leaves, has a new name, or joins or leaves a room]' \
                '--count=[exit 0 after N lines; 0 means no limit (0)]:n:' \
                '--help[print help]' \
                '--version[print the version]' \
                '*: :' \
                && return
            ;;
        history)
            _arguments \
                '--host=[host of the server, or HOST:PORT (127.0.0.1)]:host:_hosts' \
                '--port=[port of the server (9999)]:port:' \
                '--tls[encrypt the connection, and check who the server is]' \
                '--ca=[trust servers whose certificate leads to one in this file (the system'\''s)]:file:_files' \
                '--insecure[encrypt without checking who the server is]' \
                '--token=[token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN]:token:' \
                '--token-file=[file with the token to log in with]:file:_files' \
                '--lang=[language of the server'\''s texts (the server'\''s)]:value:(zh en)' \
                '--timeout=[how long the server may take to answer; 0 means no limit (30s)]:duration:' \
                '--last=[print the last N lines, at most 1000 (20)]:n:' \
                '--since=[print all since a position, such as 42.abcde, for a duration, such as 10m, or since a time]:start:' \
                '--follow[join the room, and print what is said from then on too]' \
                '--json[print JSON, an object a line]' \
                '--help[print help]' \
                '--version[print the version]' \
                '*: :' \
                && return
            ;;
        wait)
            _arguments \
                '--host=[host of the server, or HOST:PORT (127.0.0.1)]:host:_hosts' \
                '--port=[port of the server (9999)]:port:' \
                '--tls[encrypt the connection, and check who the server is]' \
                '--ca=[trust servers whose certificate leads to one in this file (the system'\''s)]:file:_files' \
                '--insecure[encrypt without checking who the server is]' \
                '--token=[token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN]:token:' \
                '--token-file=[file with the token to log in with]:file:_files' \
                '--lang=[language of the server'\''s texts (the server'\''s)]:value:(zh en)' \
                '--timeout=[how long to wait, connecting included; 0 means no limit (60s)]:duration:' \
                '--help[print help]' \
                '--version[print the version]' \
                '1:what:(user gone users text members in by)' \
                '*: :' \
                && return
            ;;
        who)
            _arguments \
                '--host=[host of the server, or HOST:PORT (127.0.0.1)]:host:_hosts' \
                '--port=[port of the server (9999)]:port:' \
                '--tls[encrypt the connection, and check who the server is]' \
                '--ca=[trust servers whose certificate leads to one in this file (the system'\''s)]:file:_files' \
                '--insecure[encrypt without checking who the server is]' \
                '--token=[token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN]:token:' \
                '--token-file=[file with the token to log in with]:file:_files' \
                '--lang=[language of the server'\''s texts (the server'\''s)]:value:(zh en)' \
                '--timeout=[how long the server may take to answer; 0 means no limit (30s)]:duration:' \
                '--json[print JSON, an object a line]' \
                '--count[print only how many there are]' \
                '--help[print help]' \
                '--version[print the version]' \
                '*: :' \
                && return
            ;;
        chat)
            _arguments \
                '--host=[host of the server, or HOST:PORT (127.0.0.1)]:host:_hosts' \
                '--port=[port of the server (9999)]:port:' \
                '--tls[encrypt the connection, and check who the server is]' \
                '--ca=[trust servers whose certificate leads to one in this file (the system'\''s)]:file:_files' \
                '--insecure[encrypt without checking who the server is]' \
                '--name=[name to take first; one that is taken is refused]:name:' \
                '--token=[token to log in with; others can see it in the list of processes, but not PIPECHAT_TOKEN]:token:' \
                '--token-file=[file with the token to log in with]:file:_files' \
                '--lang=[language of the server'\''s texts (the server'\''s)]:value:(zh en)' \
                '--room=[room to join at the start]:room:' \
                '--addr[show addresses beside names]' \
                '--no-reconnect[end when the connection is lost, instead of connecting again; always so in a pipe]' \
                '--no-history[remember no lines for later sessions]' \
                '--help[print help]' \
                '--version[print the version]' \
                '*: :' \
                && return
            ;;
        account)
            _arguments \
                '--store=[the server'\''s store; add makes one where there is none]:file:_files' \
                '--lang=[language of the prompts (zh)]:value:(zh en)' \
                '--no-password[add an account that has only tokens]' \
                '--help[print help]' \
                '--version[print the version]' \
                '1:what:(add passwd token revoke role remove list)' \
                '*: :' \
                && return
            ;;
        cert)
            _arguments \
                '--self-signed=[directory for the two files, which must not exist; it is made if there is none]:dir:' \
                '--name=[name or address that clients connect to; may be repeated (localhost, 127.0.0.1 and ::1)]:name:' \
                '--help[print help]' \
                '--version[print the version]' \
                '*: :' \
                && return
            ;;
        completions)
            _arguments \
                '--help[print help]' \
                '--version[print the version]' \
                '1:what:(bash zsh fish)' \
                '*: :' \
                && return
            ;;
        help)
            _arguments \
                '1:what:(serve send listen history wait who chat account cert completions protocol errors rooms store accounts order scripts json http client netcat options transport operating limits performance internals)' \
                '*: :' \
                && return
            ;;
    esac
}

if [[ $funcstack[1] == _pipechat ]]; then
    _pipechat "$@"
else
    compdef _pipechat pipechat
fi
