# Completion of pipechat's command line in fish. Put it into ~/.config/fish/completions/

set -l subcommands serve send listen wait chat
complete -c pipechat -f
complete -c pipechat -n "not __fish_seen_subcommand_from $subcommands" -a serve -d 'serve, as without a subcommand'
complete -c pipechat -n "not __fish_seen_subcommand_from $subcommands" -a send -d 'say something, confirmed'
complete -c pipechat -n "not __fish_seen_subcommand_from $subcommands" -a listen -d 'print what comes'
complete -c pipechat -n "not __fish_seen_subcommand_from $subcommands" -a wait -d 'until a user is here or gone, for a number of users, or for a text'
complete -c pipechat -n "not __fish_seen_subcommand_from $subcommands" -a chat -d 'for a person at a terminal'
complete -c pipechat -n '__fish_seen_subcommand_from wait' -a 'user gone users text'

# serve:
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l host -x -d 'address to listen on'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l port -x -d 'port to listen on; 0 takes a free one'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l idle-timeout -x -d 'seconds of silence after which a client is disconnected'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l lang -x -a 'zh en' -d 'language that connections begin with'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l max-clients -x -d 'most clients at a time'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l max-clients-per-ip -x -d 'most clients at a time from one address'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l max-line -x -d 'longest line, in bytes'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l rate -x -d 'lines per second that a client may send'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l burst -x -d 'lines that a client may send at once'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l max-queue -x -d 'bytes that may wait for one client'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l soft-queue -x -d 'output queue limit per client for 60 seconds, in bytes'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l max-memory -x -d 'bytes that clients may make the server hold'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l rate-per-ip -x -d 'lines per second from one address'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l arrivals-per-ip -x -d 'new connections per second from one address'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l trusted -x -d 'addresses without the limits for one address'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l write-timeout -x -d 'seconds that a client may take no bytes'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l max-wait -x -d 'longest wait that a client may ask for, in seconds'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l strict-idle -d 'exempt no client from the idle timeout'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l drain-timeout -x -d 'seconds to wait at the end for queues to empty'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l version -d 'print the version'
complete -c pipechat -n "not __fish_seen_subcommand_from send listen wait chat" -l help -d 'help'
# end

# send:
complete -c pipechat -n '__fish_seen_subcommand_from send' -l host -x -d 'host of the server'
complete -c pipechat -n '__fish_seen_subcommand_from send' -l port -x -d 'port of the server'
complete -c pipechat -n '__fish_seen_subcommand_from send' -l name -x -d 'name to take first'
complete -c pipechat -n '__fish_seen_subcommand_from send' -l to -x -d 'user to say it to'
complete -c pipechat -n '__fish_seen_subcommand_from send' -l timeout -x -d 'seconds'
complete -c pipechat -n '__fish_seen_subcommand_from send' -l lang -x -a 'zh en' -d 'language of the server\'s texts'
complete -c pipechat -n '__fish_seen_subcommand_from send' -l help -d 'help'
# end

# listen:
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l host -x -d 'host of the server'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l port -x -d 'port of the server'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l name -x -d 'name to take first'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l json -d 'print JSON, an object a line'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l match -x -d 'print only lines that contain this'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l count -x -d 'end well after so many lines'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l timeout -x -d 'seconds after which to give up'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l lang -x -a 'zh en' -d 'language of the server\'s texts'
complete -c pipechat -n '__fish_seen_subcommand_from listen' -l help -d 'help'
# end

# wait:
complete -c pipechat -n '__fish_seen_subcommand_from wait' -l host -x -d 'host of the server'
complete -c pipechat -n '__fish_seen_subcommand_from wait' -l port -x -d 'port of the server'
complete -c pipechat -n '__fish_seen_subcommand_from wait' -l timeout -x -d 'seconds to wait at the most'
complete -c pipechat -n '__fish_seen_subcommand_from wait' -l lang -x -a 'zh en' -d 'language of the server\'s texts'
complete -c pipechat -n '__fish_seen_subcommand_from wait' -l help -d 'help'
# end

# chat:
complete -c pipechat -n '__fish_seen_subcommand_from chat' -l host -x -d 'host of the server'
complete -c pipechat -n '__fish_seen_subcommand_from chat' -l port -x -d 'port of the server'
complete -c pipechat -n '__fish_seen_subcommand_from chat' -l name -x -d 'name to take first'
complete -c pipechat -n '__fish_seen_subcommand_from chat' -l lang -x -a 'zh en' -d 'language of the server\'s texts'
complete -c pipechat -n '__fish_seen_subcommand_from chat' -l help -d 'help'
# end
