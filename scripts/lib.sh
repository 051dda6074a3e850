#!/usr/bin/env bash
# Scenarios in plain bash: start a chat server, open named clients, say lines as one, expect lines on another.
#
#     source scripts/lib.sh
#     server                                    # pipechat on a free port
#     join ann; join bob                        # two netcats, each renamed and ready
#     say ann 'hello'
#     expect bob "[${addr[ann]}]ann:hello"      # ends the scenario when it does not come in time
#
# What happens is printed as it happens: `ann> ` stands before what Ann types, `ann< ` before what she reads. The exit
# code is 0 when every expectation was met and 1 when one was not. Netcats and server are gone by then, in any case.
#
# Verbs
#   server [FLAG…]                  start pipechat with these flags on a free port, which is $port on $host
#   client NAME                     connect, and wait for the line that announces NAME; sets ${addr[NAME]}
#   join NAME                       the same, then rename|NAME, and wait until that is confirmed
#   say NAME TEXT                   send a line
#   register NAME PASSWORD           register|PASSWORD, and wait until that is confirmed: NAME is an account from then on
#   log_in NAME ACCOUNT PASSWORD     login|ACCOUNT|PASSWORD, and wait until that is confirmed; sets $kept to how many messages came
#   join_room NAME ROOM             join|ROOM, and wait until that is confirmed: plain lines of NAME go there from then on
#   say_in NAME ROOM TEXT           say TEXT in ROOM, which NAME need not be in, and wait until that is confirmed
#   history_of NAME ROOM [N]        the last N lines of ROOM (20), as NAME is told them; sets ${past[@]}, the oldest first
#   send NAME BYTES                 send just these bytes, with line endings or without
#   expect NAME LINE                read on until this very line comes
#   expect_like NAME PATTERN        the same, where * is any text, and every other character is just itself
#   await SECONDS NAME PATTERN      the same, but returns 1 when no such line comes in so many seconds
#   refute NAME PATTERN until LINE  read on until LINE comes, and fail when a line like PATTERN comes before it
#   half_close NAME                 end NAME's input, as Ctrl-D does, and go on reading (devtcp can only leave)
#   leave NAME                      hang up at once, as Ctrl-C does: expect an answer to the last line before
#   expect_end NAME                 read on until the server has closed
#   dial NAME                       connect, and wait for nothing
#   pipe NAME BYTES                 printf BYTES | nc: dial, send, half_close
#   terminate                       send the server SIGTERM
#   expect_exit                     wait until the server has ended as it should, with exit code 0
#   note TEXT                       a remark in the transcript
#
# Settings
#   NC        openbsd, traditional, ncat, busybox, or devtcp for bash itself. Default: the first that is installed.
#   PIPECHAT  the server. Default: the newer one of target/release and target/debug, built when there is none.
#   DEADLINE  seconds that an expectation may take. Default: 10.
#
# No scenario sleeps. To know that something has happened, expect the line that says so. To know that something did
# not happen, say one more line and refute until that one comes: everyone hears everything in one order.

set -euo pipefail

if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404 )); then
    echo "scripts/lib.sh needs bash 4.4 or newer, and this is $BASH_VERSION" >&2
    exit 1
fi

declare -A addr=()   # what the server calls a client that has no name yet
declare -A writers=() # the file descriptor to write to as a client, until its input has ended
declare -A readers=()   # the file descriptor to read from as a client, until it is gone
declare -A begun=()  # the part of a client's next line that came before the time was up
declare -A pids=()   # a client's netcat; none with devtcp, where the scenario itself is connected
host='' port='' server_pid='' server_out=''
line=''              # what was read last
past=()              # the history that was asked for last
kept=''              # how many messages were kept for the one who has logged in last
trouble=''           # what is wrong with the server
# What the transcript says of itself; another language can stand here.
declare -gA remarks=( # also where this file is sourced in a function
    [started]='is on @, the clients are @' [met]='everything came as expected.' [ends]='(ends its input)'
    [closed]='(the server has closed)'
)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scenario=${0##*/}
deadline=${DEADLINE:-10}
work=$(mktemp -d "${TMPDIR:-/tmp}/pipechat.XXXXXX")

# -- The netcats ------------------------------------------------------------------------------------------------------

# They differ in what they do at the end of their input: nc.openbsd passes it on only with -N, nc.traditional only with
# -q (and hangs up so many seconds later), the others in any case.
declare -A netcats=(
    [openbsd]='nc.openbsd -N'
    [traditional]='nc.traditional -q1'
    [ncat]='ncat'
    [busybox]='busybox nc'
    [devtcp]=''
)

installed() { # installed KIND
    local program=${netcats[$1]%% *}
    [[ -z $program ]] || command -v "$program" >/dev/null
}

choose_netcat() {
    if [[ -z ${NC:-} ]]; then
        for NC in openbsd traditional ncat busybox devtcp; do
            if installed "$NC"; then break; fi
        done
    elif [[ -z ${netcats[$NC]+known} ]]; then
        echo "$scenario: NC=$NC is none of openbsd, traditional, ncat, busybox, devtcp" >&2
        exit 1
    elif ! installed "$NC"; then
        echo "SKIPPED: $scenario with NC=$NC: ${netcats[$NC]%% *} is not installed"
        exit 77 # as in automake: neither passed nor failed
    fi
    read -ra netcat <<<"${netcats[$NC]}"
}

# -- The transcript ---------------------------------------------------------------------------------------------------

note() { # note TEXT
    printf '\n# %s\n' "$1"
}

show() { # show NAME MARK TEXT
    printf '%8s%s %s\n' "$@"
}

fail() { # fail WHY
    {
        # The last line number but one is where the scenario itself called a verb.
        printf '\nFAILED: %s, line %s: %s\n' "$scenario" "${BASH_LINENO[-2]}" "$1"
        echo 'What else came:'
        for name in "${!readers[@]}"; do
            while receive "$name" 0.1; do :; done
        done
        show_logs
    } >&2
    exit 1
}

show_logs() {
    local log
    for log in "$work"/*; do
        ! grep -q . "$log" || { echo "What ${log##*/} said on stderr:"; tail -n 20 "$log"; }
    done
}

# -- The server -------------------------------------------------------------------------------------------------------

find_server() {
    local target=${CARGO_TARGET_DIR:-$root/target}
    [[ -z ${PIPECHAT:-} ]] || return 0
    PIPECHAT=$target/release/pipechat
    if [[ $target/debug/pipechat -nt $PIPECHAT ]]; then PIPECHAT=$target/debug/pipechat; fi
    if [[ ! -x $PIPECHAT ]]; then cargo build --release --manifest-path "$root/Cargo.toml"; fi
}

# shellcheck disable=SC2120 # The flags are optional.
server() { # server [FLAG…]
    local at
    find_server
    mkfifo "$work/server.out"
    "$PIPECHAT" --port 0 "$@" >"$work/server.out" 2>"$work/pipechat" &
    server_pid=$!
    exec {server_out}<"$work/server.out"
    rm "$work/server.out"
    IFS= read -r -t "$deadline" -u "$server_out" line || fail 'the server did not start'
    [[ $line == 'pipechat listening on '*:* ]] || fail "the server said: $line"
    at=${line#pipechat listening on } host=${at%:*} port=${at##*:}
    host=${host#[} host=${host%]} # [::1] is ::1 for a netcat
    if [[ $NC == traditional && $host == *:* ]]; then
        echo "SKIPPED: $scenario with NC=$NC on $host: nc.traditional knows no IPv6"
        exit 77
    fi
    local remark=${remarks[started]/@/$at}
    echo "# $scenario: pipechat${*:+ $*} ${remark/@/${netcat[*]:-bash with /dev/tcp}}"
}

terminate() {
    note 'The server gets SIGTERM.'
    signal TERM "$server_pid"
}

expect_exit() {
    await_exit || fail "$trouble"
}

# The server's output ends when the server does.
await_exit() {
    local status=0 pid=$server_pid
    IFS= read -r -t "$deadline" -u "$server_out" line || status=$?
    if (( status == 0 )); then
        trouble="the server printed a second line: $line"
        return 1
    elif (( status > 128 )); then
        trouble="the server did not end within $deadline s"
        return 1
    fi
    server_pid=''
    wait "$pid" 2>/dev/null || { trouble="the server ended with exit code $?"; return 1; }
}

# -- The clients ------------------------------------------------------------------------------------------------------

dial() { # dial NAME
    local writer reader fd
    if [[ $NC == devtcp ]]; then
        exec {reader}<>"/dev/tcp/$host/$port"
        writer=$reader
    else
        mkfifo "$work/$1.in" "$work/$1.out"
        {
            # A netcat that held on to another one's input would hide the end of it.
            for fd in "$server_out" "${writers[@]}" "${readers[@]}"; do exec {fd}>&-; done
            exec "${netcat[@]}" "$host" "$port" <"$work/$1.in" >"$work/$1.out" 2>"$work/$1"
        } &
        pids[$1]=$!
        exec {writer}>"$work/$1.in" {reader}<"$work/$1.out"
        rm "$work/$1.in" "$work/$1.out"
    fi
    writers[$1]=$writer
    readers[$1]=$reader
}

client() { # client NAME
    local announced both
    dial "$1"
    receive "$1" "$deadline" || fail "$1 heard nothing from the server"
    # The same address twice, which may have brackets and colons itself: [[::1]:50001][::1]:50001:已上线
    both=${line%:*} announced=${both:1:(${#both} - 2) / 2}
    [[ $both == "[$announced]$announced" ]] || fail "$1 should have heard first that it is online"
    addr[$1]=$announced
}

join() { # join NAME
    client "$1"
    say "$1" "rename|$1"
    expect_like "$1" "*,[${addr[$1]}]->[$1]"
}

say() { # say NAME TEXT
    show "$1" '>' "$2"
    write "$1" "$2"$'\n'
}

register() { # register NAME PASSWORD
    say "$1" "register|$2"
    expect_like "$1" 'register|ok|*'
}

log_in() { # log_in NAME ACCOUNT PASSWORD
    say "$1" "login|$2|$3"
    expect_like "$1" 'login|ok|*'
    # shellcheck disable=SC2034 # For scenarios.
    kept=${line##*|}
}

join_room() { # join_room NAME ROOM
    say "$1" "join|$2"
    expect_like "$1" 'join|ok|*'
}

say_in() { # say_in NAME ROOM TEXT
    say "$1" "in|$2|$3"
    expect_like "$1" 'in|ok|*'
}

history_of() { # history_of NAME ROOM [N]
    past=()
    say "$1" "history|$2|${3:-20}"
    while receive "$1" "$deadline" || fail "$1 should have heard the history of $2"; do
        case $line in
            'history|ok|'*) return ;;
            'history|'*.*'|'*'|'*) past+=("${line#history|*|*|}") ;;
            'history|'*) fail "$1 is not told the history of $2" ;;
        esac
    done
}

send() { # send NAME BYTES
    show "$1" '>' "${2@Q}"
    write "$1" "$2"
}

write() { # write NAME BYTES
    [[ -n ${writers[$1]:-} ]] || fail "$1 cannot speak any more"
    printf '%s' "$2" 2>/dev/null 1>&"${writers[$1]}" || fail "$1 is cut off"
}

half_close() { # half_close NAME
    if [[ $NC == devtcp ]]; then
        show "$1" '.' '(hangs up: bash cannot close one direction only)'
        hang_up "$1"
    else
        show "$1" '.' "${remarks[ends]}"
        close_mouth "$1"
    fi
}

close_mouth() { # close_mouth NAME
    local fd=${writers[$1]:-}
    if [[ -n $fd ]]; then exec {fd}>&-; fi
    unset "writers[$1]"
}

pipe() { # pipe NAME BYTES
    dial "$1"
    send "$1" "$2"
    half_close "$1"
}

leave() { # leave NAME
    show "$1" '.' '(hangs up)'
    hang_up "$1"
}

hang_up() { # hang_up NAME
    local fd=${readers[$1]} pid=${pids[$1]:-}
    if [[ -n $pid ]]; then
        signal TERM "$pid"
        wait "$pid" 2>/dev/null || true # how it ended does not matter
    fi
    close_mouth "$1"
    exec {fd}>&-
    unset "readers[$1]" "pids[$1]"
}

# -- What the clients receive -----------------------------------------------------------------------------------------

expect() { # expect NAME LINE
    seek "$deadline" "$1" is "$2" || fail "$1 should have heard within $deadline s: $2"
}

expect_like() { # expect_like NAME PATTERN
    seek "$deadline" "$1" like "$2" || fail "$1 should have heard within $deadline s: $2"
}

await() { # await SECONDS NAME PATTERN
    seek "$1" "$2" like "$3"
}

refute() { # refute NAME PATTERN until LINE
    seek "$deadline" "$1" is "$4" "$2" || fail "$1 should have heard within $deadline s: $4"
}

expect_end() { # expect_end NAME
    local status=0
    # nc.openbsd sees that the server has closed only when its own input ends.
    if [[ $NC == openbsd ]]; then close_mouth "$1"; fi
    while (( status == 0 )); do receive "$1" "$deadline" || status=$?; done
    (( status == 1 )) || fail "the server should have closed the connection of $1 within $deadline s"
    show "$1" '.' "${remarks[closed]}"
    hang_up "$1"
}

# Reads on until a line is the one wanted. Fails when one is like UNWANTED, and returns 1 when the time is up.
seek() { # seek SECONDS NAME is|like WANTED [UNWANTED]
    local status left until=$(( SECONDS + $1 ))
    # The clock is asked once for both: `read -t 0` would not read, and fail as at the end.
    while left=$(( until - SECONDS )); (( left > 0 )); do
        status=0
        receive "$2" "$left" || status=$?
        if (( status > 128 )); then return 1; fi
        (( status == 0 )) || fail "the server has closed, but $2 should have heard: $4"
        if [[ -n ${5:-} ]] && like "$line" "$5"; then fail "$2 should not have heard that"; fi
        if "$3" "$line" "$4"; then return 0; fi
    done
    return 1
}

# Reads NAME's next line. Returns 1 when the server has closed, and more than 128 when the time is up.
receive() { # receive NAME SECONDS
    local status=0
    [[ -n ${readers[$1]:-} ]] || fail "$1 is not connected"
    IFS= read -r -t "$2" -u "${readers[$1]}" line || status=$?
    line=${begun[$1]:-}$line
    unset "begun[$1]"
    if (( status == 0 )); then
        show "$1" '<' "$line"
    elif (( status > 128 )); then
        begun[$1]=$line
    elif [[ -n $line ]]; then
        show "$1" '<' "$line (without a line ending)"
    fi
    return "$status"
}

is() { # is LINE OTHER
    [[ $1 == "$2" ]]
}

like() { # like LINE PATTERN
    local special pattern=$2
    for special in \\ '[' '?' '('; do
        pattern=${pattern//"$special"/"\\$special"}
    done
    # shellcheck disable=SC2053 # It is a pattern.
    [[ $1 == $pattern ]]
}

# Does nothing to a process that has ended: bash has reaped it, and its number may be another one's by now.
signal() { # signal SIGNAL PID
    local running
    for running in $(jobs -rp); do
        if [[ $running == "$2" ]]; then kill "-$1" "$2" 2>/dev/null || true; fi
    done
}

# -- The end ----------------------------------------------------------------------------------------------------------

clean_up() {
    local status=$? name
    for name in "${!readers[@]}"; do hang_up "$name"; done
    if [[ -n $server_pid ]]; then
        signal TERM "$server_pid" # where it has died already, its exit code tells
        if ! await_exit; then
            signal KILL "$server_pid"
            wait "$server_pid" 2>/dev/null || true
            if (( status == 0 )); then
                { printf '\nFAILED: %s, at its end: %s\n' "$scenario" "$trouble"; show_logs; } >&2
                status=1
            fi
        fi
    fi
    rm -rf "$work"
    if (( status == 0 )); then printf '\n# %s: %s\n' "$scenario" "${remarks[met]}"; fi
    exit "$status"
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap : PIPE # A client that is cut off is for `write` to tell, not the end of the shell.
choose_netcat
