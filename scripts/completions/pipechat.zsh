#compdef pipechat
# Completion of pipechat's command line in zsh. Put it as _pipechat into a directory of $fpath.

_pipechat() {
    local -a server=(
        # serve:
        '--host[address to listen on]:address:'
        '--port[port to listen on; 0 takes a free one]:port:'
        '--idle-timeout[seconds of silence after which a client is disconnected]:seconds:'
        '--lang[language that connections begin with]:language:(zh en)'
        '--max-clients[most clients at a time]:number:'
        '--max-clients-per-ip[most clients at a time from one address]:number:'
        '--max-line[longest line]:bytes:'
        '--rate[lines per second that a client may send]:number:'
        '--burst[lines that a client may send at once]:number:'
        '--max-queue[bytes that may wait for one client]:bytes:'
        '--soft-queue[output queue limit per client for 60 seconds, in bytes]:bytes:'
        '--max-memory[bytes that clients may make the server hold]:bytes:'
        '--rate-per-ip[lines per second from one address]:lines:'
        '--arrivals-per-ip[new connections per second from one address]:connections:'
        '--trusted[addresses without the limits for one address]:addresses:'
        '--write-timeout[seconds that a client may take no bytes]:seconds:'
        '--max-wait[longest wait that a client may ask for]:seconds:'
        '--strict-idle[exempt no client from the idle timeout]'
        '--drain-timeout[seconds to wait at the end for queues to empty]:seconds:'
        '--version[print the version]'
        '--help[help]'
        # end
    )
    local -a sender=(
        # send:
        '--host[host of the server]:host:_hosts'
        '--port[port of the server]:port:'
        '--name[name to take first]:name:'
        '--to[user to say it to]:user:'
        '--timeout[seconds]:seconds:'
        "--lang[language of the server's texts]:language:(zh en)"
        '--help[help]'
        # end
        '*:text:'
    )
    local -a listener=(
        # listen:
        '--host[host of the server]:host:_hosts'
        '--port[port of the server]:port:'
        '--name[name to take first]:name:'
        '--json[print JSON, an object a line]'
        '--match[print only lines that contain this]:text:'
        '--count[end well after so many lines]:number:'
        '--timeout[seconds after which to give up]:seconds:'
        "--lang[language of the server's texts]:language:(zh en)"
        '--help[help]'
        # end
    )
    local -a waiter=(
        # wait:
        '--host[host of the server]:host:_hosts'
        '--port[port of the server]:port:'
        '--timeout[seconds to wait at the most]:seconds:'
        "--lang[language of the server's texts]:language:(zh en)"
        '--help[help]'
        # end
        '1:what to wait for:(user gone users text)'
        '2:name, number or part of a text:'
    )
    local -a chatter=(
        # chat:
        '--host[host of the server]:host:_hosts'
        '--port[port of the server]:port:'
        '--name[name to take first]:name:'
        "--lang[language of the server's texts]:language:(zh en)"
        '--help[help]'
        # end
    )
    local -a subcommands=(
        'serve:serve, as without a subcommand'
        'send:say something, confirmed'
        'listen:print what comes'
        'wait:until a user is here or gone, for a number of users, or for a text'
        'chat:for a person at a terminal'
    )
    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
        _describe subcommand subcommands
        return
    fi
    local subcommand=$words[2]
    if [[ $subcommand != -* ]]; then
        words=("${(@)words[2,-1]}")
        ((CURRENT--))
    fi
    case $subcommand in
        send) _arguments $sender ;;
        listen) _arguments $listener ;;
        wait) _arguments $waiter ;;
        chat) _arguments $chatter ;;
        serve | -*) _arguments $server ;;
    esac
}

if [[ $funcstack[1] == _pipechat ]]; then
    _pipechat "$@"
else
    compdef _pipechat pipechat
fi
